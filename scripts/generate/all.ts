// `npm run generate`: everything that is generated, in the order in which it depends on each other.
import { generateCli } from './cli';
import { generateConfiguration } from './configuration';
import { generateDatabaseTypes } from './database';
import { generateDemoRows } from './demoRows';
import { generateOpenApi } from './openapi';
import { generateSchema } from './schema';
import { withScratchDatabase } from './scratchDatabase';
import { generateStates } from './states';

async function main(): Promise<void> {
  await withScratchDatabase(async (url) => {
    generateDatabaseTypes(url);
    await generateSchema(url);
  });
  generateOpenApi();
  generateConfiguration();
  generateCli();
  generateStates();
  generateDemoRows();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
