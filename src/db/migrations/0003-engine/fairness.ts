// Part of migration 0003: what has waited longest is found without looking at all that waits.
export const FAIRNESS = `
create index outbox_age on outbox (due_at) where sent_at is null;
`;
