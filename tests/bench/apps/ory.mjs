import { Configuration, FrontendApi } from "@ory/client-fetch";

export function connect({ baseUrl, token: xSessionToken }) {
  const frontend = new FrontendApi(new Configuration({ basePath: baseUrl }));
  return { list: () => frontend.listMySessions({ xSessionToken }), revoke: ({ id }) => frontend.disableMySession({ id, xSessionToken }) };
}
