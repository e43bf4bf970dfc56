import { createAuthClient } from "better-auth/client";

/** It tells of failures beside the data. */
async function data(asked) {
  const { data, error } = await asked;
  if (error) throw new Error(`${error.status} ${error.message}`);
  return data;
}

export function connect({ baseUrl, token }) {
  // With a path of its own it appends none.
  const client = createAuthClient({ baseURL: `${baseUrl}/api/auth`, fetchOptions: { auth: { type: "Bearer", token } } });
  return { list: () => data(client.listSessions()), revoke: ({ token }) => data(client.revokeSession({ token })) };
}
