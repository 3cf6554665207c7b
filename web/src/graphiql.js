// The query editor at /lib, with everything from this origin.

import "graphiql/graphiql.css";
import { currentTheme } from "./theme.js";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import React from "react";
import { createRoot } from "react-dom/client";

const token = document.querySelector('meta[name="xsrf-token"]').content;
const fetcher = createGraphiQLFetcher({ url: "/lib", headers: { "X-XSRFToken": token } });
const example = `# Names of files and folders: OWNER/CATEGORY/…
query {
  listDirectory(path: "common/data") {
    repository {
      tree {
        blobs { edges { node { name type } } }
        trees { edges { node { name type } } }
      }
    }
  }
}
`;
createRoot(document.getElementById("graphiql")).render(React.createElement(GraphiQL, { fetcher, defaultQuery: example, forcedTheme: currentTheme() }));
