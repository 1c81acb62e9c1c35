import { createLogUpdate } from "log-update";

/** Where the demo is shown: a terminal, on which a picture is drawn over the last one, or plain lines. */
export interface Screen extends Disposable {
  /** Whether somebody can watch pictures change. */
  readonly isLive: boolean;
  /** Shows a picture in place of the last one; nothing where it cannot be taken back. */
  draw(text: string): void;
  /** Shows a text for good, in place of the last picture. */
  print(text: string): void;
}

export function createScreen(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Screen {
  const isLive = stream.isTTY && !environment.CI && environment.TERM !== "dumb";
  if (!isLive) {
    const print = (text: string) => void stream.write(`${text}\n`);
    return { isLive, draw: () => undefined, print, [Symbol.dispose]: () => undefined };
  }
  const update = createLogUpdate(stream);
  return {
    isLive,
    draw: update,
    print: update.persist,
    // Gives the terminal its cursor back.
    [Symbol.dispose]: update.done,
  };
}
