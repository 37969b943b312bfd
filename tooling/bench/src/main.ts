#!/usr/bin/env node
import { questions } from './questions.ts';
import { runBenches } from './run.ts';

process.exitCode = await runBenches(process.argv.slice(2), {
  questions,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
