// What the library knows beyond bytes: questions and orders in GraphQL, at /lib.

import { ApiError, request } from "./api.js";
import { encodePath } from "./format.js";

export const filesAddress = (path, { ref = "", inline = false, zip = false } = {}) => {
  const words = [ref && `ref=${encodeURIComponent(ref)}`, inline && "inline", zip && "download=zip"].filter(Boolean);
  return `/lib/files/${encodePath(path)}${words.length ? `?${words.join("&")}` : ""}`;
};

export async function graphql(query, variables = {}, { signal } = {}) {
  const answer = await (await request("POST", "/lib", { json: { query, variables }, signal })).json();
  if (answer.errors?.length) {
    const [{ message, extensions = {} }] = answer.errors;
    throw new ApiError(200, { code: extensions.reason ?? extensions.code ?? "unknown", what: message });
  }
  return answer.data;
}

const CARD = "card { title description licence tags source problems inputs { name type unit description } outputs { name type unit description } }";
const BRIEF = "path name owner category kind size modified mediaType card { title description tags }";
const PUBLICATION = "path name version by time note source derivedFrom intact";

export const fetchViewer = async () => (await graphql("{ viewer { name admin mayWrite mayWriteCommon backend } }")).viewer;

export const fetchUsage = async (owner) =>
  (await graphql("query($owner: String) { usage(owner: $owner) { usedBytes trashBytes heldBytes limitBytes } }", { owner })).usage;

export const fetchRefs = async (owner) => (await graphql("query($owner: String!) { refs(owner: $owner) { name kind } }", { owner })).refs;

export const fetchCard = async (path, ref, signal) =>
  (await graphql(`query($path: String!, $ref: String) { asset(path: $path, ref: $ref) { kind ${CARD.replace(/ inputs.*/, " }")} publication { version } } }`, { path, ref: ref || null }, { signal })).asset;

export const fetchAsset = async (path, ref, signal) =>
  (await graphql(
    `query($path: String!, $ref: String) { asset(path: $path, ref: $ref) {
      path name owner category kind size modified etag mediaType mayWrite readme ${CARD}
      text { text truncated editable }
      table(rows: 100) { delimiter columns { name type } rows rowCount truncated }
      fmu { fmiVersion modelName kinds description author generationTool generationDate defaultStart defaultStop defaultStep defaultTolerance platforms variableCount }
      twin { title description phases uses { category path } problems }
      publication { ${PUBLICATION} files { path size sha256 } }
      origin { path version time by }
      versions { path name version by time note intact }
    } }`,
    { path, ref: ref || null },
    { signal },
  )).asset;

export const fetchVersions = async (path) =>
  (await graphql("query($path: String!) { asset(path: $path) { versions { version } } }", { path })).asset.versions;

export const fetchSha256 = async (path, ref) =>
  (await graphql("query($path: String!, $ref: String) { asset(path: $path, ref: $ref) { sha256 } }", { path, ref: ref || null })).asset.sha256;

export const fetchText = async (path, ref) =>
  (await graphql("query($path: String!, $ref: String) { asset(path: $path, ref: $ref) { etag mayWrite text(limit: 1000000) { text truncated editable } } }", { path, ref: ref || null })).asset;

export const fetchVariables = async (path, { ref, causality, text, after }, signal) =>
  (await graphql(
    `query($path: String!, $ref: String, $causality: String, $text: String, $after: String) { asset(path: $path, ref: $ref) { fmu {
      variables(causality: $causality, text: $text, first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { name causality variability type unit start description } } } } }`,
    { path, ref: ref || null, causality: causality || null, text: text || null, after: after ?? null },
    { signal },
  )).asset.fmu.variables;

export const searchAssets = async ({ text, category, tags, owner, after }, signal) =>
  (await graphql(
    `query($text: String, $category: Category, $tags: [String!], $owner: String, $after: String) {
      assets(text: $text, category: $category, tags: $tags, owner: $owner, inside: true, first: 50, after: $after) { indexing pageInfo { hasNextPage endCursor } nodes { ${BRIEF} } } }`,
    { text: text || null, category: category ? category.toUpperCase() : null, tags: tags?.length ? tags : null, owner: owner || null, after: after ?? null },
    { signal },
  )).assets;

export const fetchTrash = async (owner, after) =>
  (await graphql("query($owner: String, $after: String) { trash(owner: $owner, first: 50, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { id path by time expires size } } }", { owner, after: after ?? null })).trash;

export const fetchHistory = async (owner, after) =>
  (await graphql("query($owner: String, $after: String) { audit(owner: $owner, first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { time user action path detail } } }", { owner, after: after ?? null })).audit;

export const compareAssets = async (old, fresh, { oldRef, newRef, tolerance } = {}) =>
  (await graphql(
    `query($old: String!, $new: String!, $oldRef: String, $newRef: String, $tolerance: Float) { compare(old: $old, new: $new, oldRef: $oldRef, newRef: $newRef, tolerance: $tolerance) {
      kind equal summary truncated lines { kind oldNumber newNumber text } changes { kind place old new difference } } }`,
    { old, new: fresh, oldRef: oldRef || null, newRef: newRef || null, tolerance: tolerance ?? null },
  )).compare;

// --- orders ----------------------------------------------------------------------

export const makeFolder = (path) => graphql("mutation($path: String!) { makeFolder(path: $path) { path } }", { path });

// `ifMatch` is the etag that was read; null writes only where nothing is.
export const writeText = async (path, text, ifMatch) =>
  (await graphql("mutation($path: String!, $text: String!, $ifMatch: String) { writeText(path: $path, text: $text, ifMatch: $ifMatch) { path etag } }", { path, text, ifMatch })).writeText;

export const moveAsset = (source, target) => graphql("mutation($source: String!, $target: String!) { move(source: $source, target: $target) { path } }", { source, target });

export const copyAsset = (source, target, ref) =>
  graphql("mutation($source: String!, $target: String!, $ref: String) { copy(source: $source, target: $target, ref: $ref) { path } }", { source, target, ref: ref || null });

export const deleteAsset = async (path) => (await graphql("mutation($path: String!) { delete(path: $path) { id path } }", { path })).delete;

export const restoreAsset = async (id) => (await graphql("mutation($id: ID!) { restore(id: $id) { path kind } }", { id })).restore;

export const eraseAsset = (id) => graphql("mutation($id: ID!) { erase(id: $id) }", { id });

export const publishAsset = async (path, version, name, note) =>
  (await graphql("mutation($path: String!, $version: String!, $name: String, $note: String) { publish(path: $path, version: $version, name: $name, note: $note) { path kind } }", { path, version, name: name || null, note: note || null })).publish;

export const takeAsset = async (path, target) => (await graphql("mutation($path: String!, $target: String) { take(path: $path, target: $target) { path kind } }", { path, target: target || null })).take;
