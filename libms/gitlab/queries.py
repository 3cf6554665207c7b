"""What is asked in GraphQL: the documented part of GitLab's schema, variables only."""

from __future__ import annotations

from typing import Final

HEAD: Final = """
query Head($project: ID!) {
  project(fullPath: $project) {
    repository { rootRef tree(path: "/") { lastCommit { sha committedDate } } }
  }
}
"""
"""Of a tree named "/", and of no other, GitLab gives the branch's last commit even when that is a merge."""

FOLDER: Final = """
query Folder(
  $project: ID!, $ref: String!, $path: String!, $recursive: Boolean!, $first: Boolean!,
  $trees: Boolean!, $treesAfter: String, $blobs: Boolean!, $blobsAfter: String,
  $modules: Boolean!, $modulesAfter: String
) {
  project(fullPath: $project) {
    repository {
      tree(path: $path, ref: $ref, recursive: $recursive) {
        lastCommit @include(if: $first) { sha committedDate }
        trees(first: 100, after: $treesAfter) @include(if: $trees) {
          nodes { path } pageInfo { hasNextPage endCursor }
        }
        blobs(first: 100, after: $blobsAfter) @include(if: $blobs) {
          nodes { path mode } pageInfo { hasNextPage endCursor }
        }
        submodules(first: 100, after: $modulesAfter) @include(if: $modules) {
          nodes { path } pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
}
"""

STAT: Final = """
query Stat($project: ID!, $ref: String!, $path: String!, $paths: [String!]!) {
  project(fullPath: $project) {
    repository {
      tree(path: $path, ref: $ref) {
        lastCommit { sha committedDate }
        trees(first: 1) { nodes { name } }
        blobs(first: 1) { nodes { name } }
        submodules(first: 1) { nodes { name } }
      }
      blobs(paths: $paths, ref: $ref, first: 50) {
        nodes { path oid mode rawSize storedExternally }
      }
    }
  }
}
"""

BLOBS: Final = """
query Blobs($project: ID!, $ref: String!, $paths: [String!]!) {
  project(fullPath: $project) {
    repository {
      blobs(paths: $paths, ref: $ref, first: 50) { nodes { path oid mode rawSize storedExternally } }
    }
  }
}
"""

TEXT: Final = """
query Text($project: ID!, $ref: String!, $path: String!) {
  project(fullPath: $project) {
    repository { blobs(paths: [$path], ref: $ref, first: 1) { nodes { oid rawTextBlob } } }
  }
}
"""


def changed(count: int) -> str:
    """Ask for the last commits of `$p0`, `$p1`, …: GitLab has them for one path at a time only."""
    variables = "".join(f", $p{number}: String!" for number in range(count))
    fields = "".join(
        f"t{number}: tree(path: $p{number}, ref: $ref) {{ lastCommit {{ committedDate }} }}\n"
        for number in range(count)
    )
    return (
        f"query Changed($project: ID!, $ref: String!{variables}) {{\n"
        f"project(fullPath: $project) {{ repository {{\n{fields}}} }} }}"
    )
