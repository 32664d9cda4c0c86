// Part of migration 0003: requests for approval, their rules and the decisions on them.
export const APPROVALS = `
`;
