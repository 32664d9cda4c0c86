// The catalogue of job kinds as the start dialog needs it. Called by client.ts.
import type { JobKind, JsonSchema } from './types';

interface KindDocument {
  kind: string;
  title: string;
  menu?: string[] | string | null;
  paramsSchema?: JsonSchema | null;
  rowSchema?: JsonSchema | null;
  takesRows?: boolean;
  shape?: string;
}

export interface KindsAnswer {
  items: KindDocument[];
}

export function readKinds(answer: KindsAnswer): JobKind[] {
  return answer.items.map((item) => ({
    kind: item.kind,
    title: item.title,
    menu: typeof item.menu === 'string' ? [item.menu] : (item.menu ?? []),
    paramsSchema: item.paramsSchema ?? null,
    rowSchema: item.rowSchema ?? null,
    takesRows: item.takesRows ?? (item.shape === 'massAction' || Boolean(item.rowSchema)),
  }));
}
