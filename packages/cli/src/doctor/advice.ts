import type { Obstacle } from "@quarterturn/database";

/** What a function would advise, without what it says of the step that it was in. */
export const adviceIn = ({ advice }: Pick<Obstacle, "advice">): string =>
  advice.replace(/^This (try|login) changed nothing(\.|:)\s*/, "").replace(/^./, (first) => first.toUpperCase());
