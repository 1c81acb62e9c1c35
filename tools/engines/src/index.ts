export { type BlackHole, startBlackHole } from "./black-hole.ts";
export {
  type CertificateRequest,
  createTestCa,
  createTrustedCa,
  type ServerCertificate,
  type TestCa,
} from "./certificates.ts";
export { type FaultyServer, type FaultyServerKind, startFaultyServer } from "./faulty-server.ts";
export { type MongodbOptions, type MongodbServer, startFerretdb } from "./ferretdb-server.ts";
export { type FreezableProxy, startFreezableProxy } from "./freezable-proxy.ts";
export { type MysqlOptions, type MysqlServer, startMariadb, startMysql } from "./mysql-server.ts";
export { type PostgresOptions, type PostgresServer, startPostgres } from "./postgres-server.ts";
export { POSTGRES_VERSIONS, type PostgresVersion } from "./postgres-version.ts";
export { tlsFaults } from "./tls-faults.ts";
