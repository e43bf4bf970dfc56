/** What a runtime takes by itself. */
export const connect = () => ({ list: async () => [] });
