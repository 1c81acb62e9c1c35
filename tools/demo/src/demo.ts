import { styleText } from "node:util";
import { type Attempt, startApplication } from "./application.ts";
import type { DemoEngine } from "./engine.ts";
import { type Environment, startEnvironment } from "./environment.ts";
import { brokenPromises, disagreements } from "./figures.ts";
import { type Pace, type RotationRecord, rotate, type Step } from "./rotation.ts";
import type { Screen } from "./screen.ts";
import { type Chapter, cast, chapterHeading, introduction, nextSteps } from "./story.ts";
import { summary, type Told } from "./summary.ts";
import { timeline } from "./timeline.ts";

export interface DemoOptions {
  readonly engine: DemoEngine;
  readonly screen: Screen;
  /** Aborted: the demo cleans up and throws. */
  readonly signal: AbortSignal;
  /** What the admin secret says; default: the admin's password. */
  readonly adminSecretPassword?: string;
}

/**
 * Rotates the secrets of an engine with the strategies that it has, and shows it.
 *
 * @returns whether every rotation kept the promise of its strategy
 */
export async function demo(options: DemoOptions): Promise<boolean> {
  const { engine, screen } = options;
  screen.print(introduction(engine.story));
  screen.draw(
    `\nStarting ${engine.story.starts}, the local Secrets Manager endpoint and the functions...` +
      (engine.isFetched ? "\n(The first time it has to be fetched, which takes a while.)" : ""),
  );
  await using environment = await startEnvironment(options);
  screen.print(cast(engine.story, environment));

  const { loginLog } = environment.server;
  const { told, attempts } = await tellAll(options, environment);
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
  screen.print(problems.length === 0 ? nextSteps(engine.story) : `\n${styleText("red", problems.join("\n"))}`);
  return problems.length === 0;
}

/** Tells the chapters one after the other, until one fails. */
async function tellAll(options: DemoOptions, environment: Environment) {
  const { chapters } = options.engine.story;
  const told: Told[] = [];
  const attempts: Attempt[] = [];
  for (const [index, chapter] of chapters.entries()) {
    options.screen.print(chapterHeading(options.engine.story, chapter, index + 1));
    const watched = await tell(chapter, index === chapters.length - 1, options, environment);
    told.push({ chapter, record: watched.record });
    attempts.push(...watched.attempts);
    if (watched.record.failure !== undefined) break;
  }
  return { told, attempts };
}

/** One rotation, while an application uses the secret. */
async function tell(chapter: Chapter, isLast: boolean, { screen, signal }: DemoOptions, environment: Environment) {
  const { client, secrets, server } = environment;
  await using application = startApplication(client, secrets[chapter.strategy].name, server.use);
  const pace = screen.isLive ? livePace(isLast) : { before: 250, after: 250, pauseBefore: () => 0 };
  const show = (each: RotationRecord) => screen.draw(timeline(each));
  const record = await rotate(chapter, pace, { environment, application, signal, show });
  screen.print(timeline(record));
  return { record, attempts: application.attempts };
}

/**
 * Time to read for whoever watches. Not between setSecret and finishSecret: the window in which logins are refused would be the demo's and
 * not the rotation's.
 */
function livePace(isLast: boolean): Pace {
  if (isLast) return { before: 300, after: 700, pauseBefore: () => 0 };
  const pauses: Partial<Record<Step, number>> = { createSecret: 500, setSecret: 700 };
  return { before: 500, after: 800, pauseBefore: (step) => pauses[step] ?? 0 };
}

function logOf({ functions }: Environment, { chapter }: RotationRecord): string {
  return `The log of the ${chapter.strategy} function:\n${functions.get(chapter.strategy)?.log.join("\n")}`;
}
