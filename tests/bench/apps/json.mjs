// The limit: what the engine itself takes to read the body.
export const connect = ({ listUrl }) => ({
  async list() {
    const body = await (await fetch(listUrl)).json();
    return body.data ?? body.sessions ?? body;
  },
});
