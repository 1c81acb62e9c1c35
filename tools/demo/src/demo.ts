import { styleText } from "node:util";
import { startApplication } from "./application.ts";
import { type Environment, startEnvironment } from "./environment.ts";
import { brokenPromises, disagreements } from "./figures.ts";
import { type LoginLog, loginLogOf } from "./login-log.ts";
import { type Pace, type RotationRecord, rotate, type Step } from "./rotation.ts";
import type { Screen } from "./screen.ts";
import { type Chapter, cast, chapterHeading, chapters, introduction, nextSteps } from "./story.ts";
import { summary, type Told } from "./summary.ts";
import { timeline } from "./timeline.ts";

export interface DemoOptions {
  readonly screen: Screen;
  /** Aborted: the demo cleans up and throws. */
  readonly signal: AbortSignal;
  /** What the admin secret says; default: the admin's password. */
  readonly adminSecretPassword?: string;
}

/**
 * Rotates a password of a real PostgreSQL with both strategies, and shows it.
 *
 * @returns whether every rotation kept the promise of its strategy
 */
export async function demo(options: DemoOptions): Promise<boolean> {
  const { screen, signal } = options;
  screen.print(introduction());
  screen.draw("\nStarting PostgreSQL, the local Secrets Manager endpoint and two functions...");
  await using environment = await startEnvironment(options);
  screen.print(cast(environment));

  const loginLog = loginLogOf(environment.postgres.logFile);
  const { told, attempts } = await tellAll(environment, loginLog, screen, signal);
  await loginLog.update();
  const problems = [
    ...told.flatMap(({ record }) => brokenPromises(record)),
    ...disagreements({
      attempts,
      logins: loginLog.logins,
      functionCalls: environment.functionCalls.calls,
      loggedCalls: environment.endpoint.events.filter(({ kind }) => kind === "api-call").map(({ name }) => name),
    }),
    ...told.filter(({ record }) => record.failure !== undefined).map(({ record }) => logOf(environment, record)),
  ];
  screen.print(summary(told));
  screen.print(problems.length === 0 ? nextSteps : `\n${styleText("red", problems.join("\n"))}`);
  return problems.length === 0;
}

/** Tells the chapters one after the other, until one fails, while the application runs. */
async function tellAll(environment: Environment, loginLog: LoginLog, screen: Screen, signal: AbortSignal) {
  const { client, secretId, postgres } = environment;
  await using application = startApplication(client, secretId, postgres.ca);
  const show = (record: RotationRecord) => screen.draw(timeline(record));
  const told: Told[] = [];
  for (const chapter of chapters) {
    screen.print(chapterHeading(chapter));
    const pace = screen.isLive ? livePace(chapter) : { before: 250, after: 250, pauseBefore: () => 0 };
    const record = await rotate(chapter.strategy, pace, { environment, application, loginLog, signal, show });
    screen.print(timeline(record));
    told.push({ chapter, record });
    if (record.failure !== undefined) break;
  }
  return { told, attempts: application.attempts };
}

/**
 * Time to read for whoever watches. Not between setSecret and finishSecret: the window in which logins are refused would be the demo's and
 * not the rotation's.
 */
function livePace(chapter: Chapter): Pace {
  if (chapter === chapters.at(-1)) return { before: 300, after: 700, pauseBefore: () => 0 };
  const pauses: Partial<Record<Step, number>> = { createSecret: 500, setSecret: 700 };
  return { before: 500, after: 800, pauseBefore: (step) => pauses[step] ?? 0 };
}

function logOf({ functions }: Environment, { strategy }: RotationRecord): string {
  return `The log of the ${strategy} function:\n${functions[strategy].log.join("\n")}`;
}
