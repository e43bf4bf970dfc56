import { createClerkClient } from "@clerk/backend";

export function connect({ baseUrl, token, scope }) {
  const { sessions } = createClerkClient({ secretKey: token, apiUrl: baseUrl.replace(/\/v1$/, ""), telemetry: { disabled: true } });
  return { list: async (page) => (await sessions.getSessionList({ ...scope, ...page })).data, revoke: ({ id }) => sessions.revokeSession(id) };
}
