export type { ApiCallEvent, InvocationEvent, LocalEvent, RotationCourseEvent, RotationEventName } from "./event-log.ts";
export { type LocalEndpoint, type LocalOptions, startLocal } from "./local-endpoint.ts";
export { type RedshiftDataEndpoint, type RedshiftDataOptions, startRedshiftData } from "./redshift-data/endpoint.ts";
export type {
  FieldValue,
  Warehouse,
  WarehouseLogin,
  WarehouseResult,
  WarehouseSession,
} from "./redshift-data/warehouse.ts";
export type { RotationContext, RotationEvent, RotationFunction } from "./rotation-function.ts";
export type { ReplicaStatus } from "./state.ts";
