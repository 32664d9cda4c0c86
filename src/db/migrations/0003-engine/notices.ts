// Part of migration 0003: preferences, digests, alerts and the delivery of notices.
export const NOTICES = `
`;
