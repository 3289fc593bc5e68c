import { stringify } from '../demo/config-text.ts';
import { startDemo } from '../demo/demo.ts';
import { EXIT, type RunVerb } from './verb.ts';
