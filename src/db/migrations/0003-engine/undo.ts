// Part of migration 0003: what undo needs: earlier values of rows, and adaptive chunks.
export const UNDO = `
`;
