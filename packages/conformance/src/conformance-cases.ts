import { badInputCases } from "./cases/bad-input.ts";
import { crashCases } from "./cases/crash-matrix.ts";
import { faultCases } from "./cases/faults.ts";
import { foreignTargetCases } from "./cases/foreign-targets.ts";
import { operatorCases } from "./cases/operators.ts";
import { retryCases } from "./cases/retries.ts";
import { rotationCases } from "./cases/rotation.ts";
import { secrecyCases } from "./cases/secrecy.ts";
import { serviceFaultCases } from "./cases/service-faults.ts";
import { testStepCases } from "./cases/test-step.ts";
import { valueCases } from "./cases/values.ts";
import type { ConformanceCase } from "./conformance-case.ts";

/** Everything that a rotator must do, in the order in which it is run: the last looks at what all others made it write. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...rotationCases,
  ...testStepCases,
  ...retryCases,
  ...crashCases,
  ...operatorCases,
  ...foreignTargetCases,
  ...badInputCases,
  ...faultCases,
  ...serviceFaultCases,
  ...valueCases,
  ...secrecyCases,
];
