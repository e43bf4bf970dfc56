import { Account, Client } from "appwrite";

export function connect({ baseUrl, token }) {
  const account = new Account(new Client().setEndpoint(baseUrl).setProject("bench").setJWT(token));
  return { list: async () => (await account.listSessions()).sessions, revoke: ({ $id: sessionId }) => account.deleteSession({ sessionId }) };
}
