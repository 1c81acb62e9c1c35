/**
 * Redshift's catalogue over PostgreSQL's, for tests: those views and columns that this package reads, with the names, types and values of
 * Redshift's documentation (the pages named after the views), and the encodings of translation.ts. Everybody sees all of them, where
 * Redshift shows all to superusers alone; pg_user_info is a superuser's.
 */

/** A role as Redshift tells it: its kind and its name. */
const identity = (role: string) =>
  `CASE WHEN ${role}.rolname IS NULL THEN 'public' WHEN ${role}.rolname LIKE 'role:%' THEN 'role' WHEN ${role}.rolcanlogin THEN 'user' ELSE 'group' END`;
const identityName = (role: string) =>
  `CASE WHEN ${role}.rolname IS NULL THEN 'public' WHEN ${role}.rolname LIKE 'role:%' THEN pg_catalog.substr(${role}.rolname, 6) ELSE ${role}.rolname::text END`;

/** A view of the privileges on one kind of object. CONNECT is not one of Redshift's. */
function privileges(view: string, columns: string, from: string, acl: string, privilege = "a.privilege_type"): string {
  return `CREATE VIEW pg_catalog.${view} AS
    SELECT ${columns}, ${privilege} AS privilege_type, a.grantee::int AS identity_id, ${identityName("r")} AS identity_name,
      ${identity("r")} AS identity_type, a.is_grantable AS admin_option
    FROM ${from} CROSS JOIN LATERAL pg_catalog.aclexplode(${acl}) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE a.privilege_type <> 'CONNECT'`;
}

const relationPrivilege =
  "CASE a.privilege_type WHEN 'TRIGGER' THEN 'DROP' WHEN 'MAINTAIN' THEN 'ALTER' ELSE a.privilege_type END";
const setting = (name: string) =>
  `(SELECT pg_catalog.split_part(s, '=', 2) FROM pg_catalog.pg_db_role_setting d, pg_catalog.unnest(d.setconfig) s
    WHERE d.setrole = u.usesysid AND d.setdatabase = 0 AND s LIKE 'imitation.${name}=%')`;

export const catalogue: readonly string[] = [
  `CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp STABLE
    RETURN pg_catalog.date_trunc('second', pg_catalog.statement_timestamp()::timestamp)`,
  `CREATE OR REPLACE VIEW pg_catalog.pg_group AS
    SELECT rolname AS groname, oid AS grosysid,
      ARRAY(SELECT member FROM pg_catalog.pg_auth_members WHERE roleid = r.oid) AS grolist
    FROM pg_catalog.pg_authid r WHERE NOT rolcanlogin AND rolname NOT LIKE 'role:%' AND rolname NOT LIKE 'pg!_%' ESCAPE '!'`,
  `CREATE VIEW pg_catalog.pg_user_info AS
    SELECT usename, usesysid, usecreatedb, usesuper, false AS usecatupd, '********'::text AS passwd, valuntil,
      ARRAY(SELECT s FROM pg_catalog.unnest(useconfig) s WHERE s NOT LIKE 'imitation.%') AS useconfig,
      CASE WHEN rolconnlimit = -1 THEN 'UNLIMITED' ELSE rolconnlimit::text END AS useconnlimit
    FROM pg_catalog.pg_shadow JOIN pg_catalog.pg_authid r ON r.oid = usesysid`,
  `CREATE VIEW pg_catalog.svv_user_info AS
    SELECT usename::text AS user_name, usesysid::int AS user_id, usecreatedb AS createdb, usesuper AS superuser, usecatupd AS catalog_update,
      useconnlimit AS connection_limit, COALESCE(${setting("syslog_access")}, 'RESTRICTED') AS syslog_access,
      COALESCE(${setting("session_timeout")}, '0')::int AS session_timeout
    FROM pg_catalog.pg_user_info u`,
  `CREATE VIEW pg_catalog.svv_user_grants AS
    SELECT u.oid::int AS user_id, u.rolname::text AS user_name, r.oid::int AS role_id, pg_catalog.substr(r.rolname, 6) AS role_name, m.admin_option
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid u ON u.oid = m.member JOIN pg_catalog.pg_authid r ON r.oid = m.roleid
    WHERE r.rolname LIKE 'role:%' AND u.rolcanlogin`,
  privileges(
    "svv_relation_privileges",
    "n.nspname::text AS namespace_name, c.relname::text AS relation_name",
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND c.relkind IN ('r', 'v', 'm')",
    "c.relacl",
    relationPrivilege,
  ),
  privileges(
    "svv_column_privileges",
    "n.nspname::text AS namespace_name, c.relname::text AS relation_name, t.attname::text AS column_name",
    "pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
    "t.attacl",
  ),
  privileges(
    "svv_schema_privileges",
    "n.nspname::text AS namespace_name, 'SCHEMA'::text AS privilege_scope",
    "pg_catalog.pg_namespace n",
    "n.nspacl",
  ),
  privileges(
    "svv_database_privileges",
    "d.datname::text AS database_name, 'DATABASE'::text AS privilege_scope",
    "pg_catalog.pg_database d",
    "d.datacl",
    "CASE a.privilege_type WHEN 'TEMPORARY' THEN 'TEMP' ELSE a.privilege_type END",
  ),
  privileges(
    "svv_function_privileges",
    "n.nspname::text AS namespace_name, p.proname::text AS function_name, pg_catalog.oidvectortypes(p.proargtypes) AS argument_types",
    "pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace",
    "p.proacl",
  ),
  privileges("svv_language_privileges", "l.lanname::text AS language_name", "pg_catalog.pg_language l", "l.lanacl"),
  `CREATE VIEW pg_catalog.svv_default_privileges AS
    SELECT n.nspname::text AS schema_name, CASE d.defaclobjtype WHEN 'r' THEN 'RELATION' WHEN 'f' THEN 'FUNCTION' ELSE 'PROCEDURE' END AS object_type,
      d.defaclrole::int AS owner_id, o.rolname::text AS owner_name, 'user'::text AS owner_type,
      CASE WHEN d.defaclobjtype = 'T' THEN 'EXECUTE' ELSE ${relationPrivilege} END AS privilege_type,
      a.grantee::int AS grantee_id, ${identityName("r")} AS grantee_name, ${identity("r")} AS grantee_type, a.is_grantable AS admin_option
    FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
    JOIN pg_catalog.pg_roles o ON o.oid = d.defaclrole CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE d.defaclobjtype IN ('r', 'f', 'T')`,
  `CREATE VIEW pg_catalog.pg_proc_info AS SELECT oid AS prooid, proname, pronamespace, proowner, prolang, proargtypes, prokind FROM pg_catalog.pg_proc`,
  "GRANT SELECT ON ALL TABLES IN SCHEMA pg_catalog TO PUBLIC",
  "REVOKE SELECT ON pg_catalog.pg_user_info, pg_catalog.pg_authid, pg_catalog.pg_shadow FROM PUBLIC",
];
