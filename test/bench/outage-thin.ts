/** The trial of the outage in the namespace in which it was started; prints what came out, as JSON. */
import { trialHere } from './outage.ts';

process.stdout.write(JSON.stringify(await trialHere(Number(process.argv[2] ?? 1))));
process.exit(0);
