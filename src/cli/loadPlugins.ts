// Loads the modules that GANTRY_PLUGINS names: each exports job definitions, under any name, as a list or as default export.
// CommonJS and ES modules alike, looked up from the working directory.
import { createRequire } from 'node:module';
import path from 'node:path';
import { constants, Script } from 'node:vm';
import type { Definition } from '../jobs/define';
import { messageOf } from '../lib/errors';

const SHAPES = new Set(['job', 'massAction', 'process']);
/** What require says of a module that only import() can load. */
const ESM_ONLY = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE', 'ERR_PACKAGE_PATH_NOT_EXPORTED']);

/** @throws Error that names each module that gave nothing, and why: all faults together. */
export async function loadPlugins(modules: string[]): Promise<Definition[]> {
  const faults: string[] = [];
  const found = new Set<Definition>();
  for (const name of modules) {
    try {
      const definitions = definitionsIn(await loadModule(name));
      definitions.forEach((definition) => found.add(definition));
      if (definitions.length > 0) continue;
      faults.push(
        `GANTRY_PLUGINS names ${name}, which exports no job definition. Export what defineJob, defineMassAction or defineProcess returns.`,
      );
    } catch (cause) {
      faults.push(`GANTRY_PLUGINS names ${name}, which could not be loaded: ${hintOf(cause, name)}`);
    }
  }
  if (faults.length > 0) throw new Error(`${faults.join('\n')}\nNothing was started.`);
  return [...found];
}

async function loadModule(name: string): Promise<unknown> {
  const base = path.join(process.cwd(), 'gantry-plugins.cjs');
  try {
    return createRequire(base)(name) as unknown;
  } catch (error) {
    if (!ESM_ONLY.has((error as { code?: string }).code ?? '')) throw error;
    // A script that stands in the working directory, so that the name is looked up from there.
    const script = new Script(`import(${JSON.stringify(name)})`, {
      filename: base,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    return script.runInThisContext() as Promise<unknown>;
  }
}

function definitionsIn(exported: unknown): Definition[] {
  if (typeof exported !== 'object' || exported === null) return [];
  const values = Object.values(exported as Record<string, unknown>);
  const fallback = (exported as { default?: unknown }).default;
  if (typeof fallback === 'object' && fallback !== null && !isDefinition(fallback)) {
    values.push(...Object.values(fallback as Record<string, unknown>));
  }
  return [...new Set(values.flat().filter(isDefinition))];
}

function isDefinition(value: unknown): value is Definition {
  if (typeof value !== 'object' || value === null) return false;
  const { shape, kind } = value as { shape?: unknown; kind?: unknown };
  return typeof kind === 'string' && typeof shape === 'string' && SHAPES.has(shape);
}

/** Node's own text lists the require stack, which says nothing to whoever set the variable. */
function hintOf(cause: unknown, name: string): string {
  const { code, message = '' } = (cause ?? {}) as { code?: string; message?: string };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return messageOf(cause);
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  if (missing !== undefined && missing !== name) return `it asks for ${missing}, which is not installed beside it.`;
  return `there is no such module. A file is named by a path that begins with ./ or / (looked up from ${process.cwd()}), a package by its name, installed there; is it built?`;
}
