/** Our client, whatever the entry. */
export const over = (createSessions) => ({ options, scope }) => {
  const sessions = createSessions(options);
  return { list: async () => (await sessions.list(scope)).sessions, revoke: ({ id }) => sessions.revoke(id), revokeAll: () => sessions.revokeAll(scope) };
};
