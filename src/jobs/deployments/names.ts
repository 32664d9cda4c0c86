// Names of projects, stages and scenarios: 1 to 100 letters, digits, `-` and `_`, as SourceDeploy has it. Used by the contract.
import { z } from 'zod';

export const projectName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'takes 1 to 100 letters, digits, hyphens or underscores');
