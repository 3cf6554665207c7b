// Asking how to start a workspace, and for a new one.

import { ask } from "./dom.js";
import { profileWords } from "./workbench-words.js";

const NAME = /^[a-z][a-z0-9-]{0,20}$/;

const options = (profiles) => profiles.map((profile) => [profile.name, `${profile.name}: ${profileWords(profile)}`]);

// Gives { server, profile }, or null.
export async function askForNew({ workspaces, profiles, named_limit: limit }) {
  const taken = new Set(workspaces.map(({ server }) => server));
  const answer = await ask({
    title: "New workspace",
    text: `A container of its own, beside your own workspace, with the same files in /workspace and a home of its own. You may have ${limit}.`,
    fields: [
      { name: "server", label: "Name", hint: "Small letters, digits and hyphens, starting with a letter." },
      ...(profiles.length > 1 ? [{ name: "profile", label: "Profile", value: profiles[0].name, options: options(profiles) }] : []),
    ],
    confirm: "Make and start",
    validate: ({ server }) => {
      if (!NAME.test(server)) return "Use 1 to 21 small letters, digits and hyphens, starting with a letter.";
      return taken.has(server) ? `There is a workspace '${server}' already.` : "";
    },
  });
  return answer && { server: answer.server, profile: answer.profile };
}

// Gives { profile, fresh } for a stopped workspace, or null.
export async function askHow({ profile, server }, { profiles }) {
  const answer = await ask({
    title: `Start ${server ? `'${server}'` : "your workspace"} with …`,
    text: "Another profile, or a fresh container, means that the container is made anew: what you installed with apt is gone. Your files, your home folder and pip packages stay.",
    fields: [
      ...(profiles.length > 1 ? [{ name: "profile", label: "Profile", value: profile, options: options(profiles) }] : []),
      { name: "fresh", label: "Fresh container", checkbox: true },
    ],
    confirm: "Start",
  });
  return answer && { profile: answer.profile, fresh: answer.fresh === "on" };
}
