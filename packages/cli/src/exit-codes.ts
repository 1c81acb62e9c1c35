/** How a command ends, for scripts. The README's table is this one. */
export const exitCodes = {
  done: { code: 0, meaning: "Done, or nothing was to be done." },
  unexpected: { code: 1, meaning: "Nobody foresaw this: a bug. `--debug` shows where." },
  usage: { code: 2, meaning: "The command line is wrong, or a question has nobody to answer it (`--yes`)." },
  refused: {
    code: 3,
    meaning: "Not done, since it would do harm or the answer was no. The line says what was changed, if anything.",
  },
  aws: { code: 4, meaning: "AWS said no, or could not be reached." },
  failed: { code: 5, meaning: "The rotation failed." },
  "timed-out": { code: 6, meaning: "The rotation has not ended within `--timeout`. It may go on." },
  unhealthy: { code: 7, meaning: "`doctor` found something that fails." },
  interrupted: { code: 130, meaning: "Ctrl-C. What was begun at AWS goes on." },
} as const;

export type Ending = keyof typeof exitCodes;
