// Parses one part of a request whose schema depends on another field (target by stage type, config by stage type),
// telling faults by their full path. Called by the stage and scenario commands.
import type { ZodType } from 'zod';
import { invalid } from '../../lib/errors';

export function parsePart<T>(schema: ZodType<T>, value: unknown, at: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.flatMap((issue) => {
      const path = [at, ...issue.path.map(String)].join('.');
      if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
      return issue.keys.map((key) => ({ path: `${path}.${key}`, message: 'is not known here' }));
    }),
  );
}
