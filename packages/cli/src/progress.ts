import yoctoSpinner from "yocto-spinner";
import type { Io } from "./io.ts";

/** What is going on, on one line that comes and goes; nothing where standard error is not a terminal. Lines written meanwhile stand above it. */
export interface Progress extends Disposable {
  show(text: string): void;
}

export function startProgress({ stderr }: Io, text: string): Progress {
  if (!stderr.isTTY) return { show: () => undefined, [Symbol.dispose]: () => undefined };
  const spinner = yoctoSpinner({ stream: stderr as never, text, handleSignals: false }).start();
  return {
    show(next) {
      // What is under way may go on when this is over, and the spinner would come back.
      if (spinner.isSpinning) spinner.text = next;
    },
    [Symbol.dispose]: () => void spinner.stop(),
  };
}

const width = 24;

/** A bar, e.g. `█████░░░░░ 1000 of 2000`. */
export function bar(done: number, all: number): string {
  const filled = all === 0 ? width : Math.floor((done / all) * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)} ${done} of ${all}`;
}
