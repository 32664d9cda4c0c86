// Loads the modules that GANTRY_PLUGINS names: each exports job definitions, under any name or as a list.
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Definition } from '../jobs/define';
import { messageOf } from '../lib/errors';

const SHAPES = new Set(['job', 'massAction', 'process']);

/** Paths and packages are looked up from the working directory. @throws Error that names the module and the fault. */
export function loadPlugins(modules: string[]): Definition[] {
  const load = createRequire(path.join(process.cwd(), 'gantry-plugins.cjs'));
  return modules.flatMap((name) => {
    let exported: unknown;
    try {
      exported = load(name);
    } catch (cause) {
      throw new Error(`GANTRY_PLUGINS names ${name}, which could not be loaded: ${messageOf(cause)}`, { cause });
    }
    const definitions = Object.values(exported as Record<string, unknown>)
      .flat()
      .filter(isDefinition);
    if (definitions.length === 0) {
      throw new Error(
        `GANTRY_PLUGINS names ${name}, which exports no job definition. Export what defineJob, defineMassAction or defineProcess returns.`,
      );
    }
    return [...new Set(definitions)];
  });
}

function isDefinition(value: unknown): value is Definition {
  if (typeof value !== 'object' || value === null) return false;
  const { shape, kind } = value as { shape?: unknown; kind?: unknown };
  return typeof kind === 'string' && typeof shape === 'string' && SHAPES.has(shape);
}
