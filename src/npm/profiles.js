const own = true;

/** The routes of `createSessionsHandler`. Its answers are this package's own results, and are taken as they are. */
export const edgeHandler = {
  name: "edge-handler",
  auth: "cookie",
  list: { method: "GET", path: "/sessions", items: "sessions", next: "next", cursor: { query: "cursor" }, own },
  revoke: { method: "POST", path: "/sessions/{id}/revoke", own },
  revokeOthers: { method: "POST", path: "/sessions/revoke-others", own },
  revokeAll: { method: "POST", path: "/logout-all", own },
  logout: { method: "POST", path: "/logout", own },
};
