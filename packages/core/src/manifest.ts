/** An environment variable that a function reads. */
export interface Setting {
  readonly name: string;
  /** What holds when it is not set, in words or as written. */
  readonly absent: string;
  readonly meaning: string;
}

/** What describes one rotator package: the single source of its defaults, its README's tables, its SAM templates and its listing. */
export interface Manifest {
  /** The package's name without its scope, e.g. `rds-postgres`. */
  readonly name: string;
  /** The product's name for people. */
  readonly title: string;
  /** Values of the secret's `engine` that mean this package. */
  readonly engines: readonly string[];
  readonly port: number;
  /** The database to log in to where the secret names none. */
  readonly dbname?: string;
  /** Characters that a generated password does not hold, unless EXCLUDE_CHARACTERS says otherwise. */
  readonly excludeCharacters: string;
  /** The longest user name, in bytes of UTF-8; the twin's must fit. */
  readonly usernameLimit?: number;
  /** Settings beyond those that every rotator reads. */
  readonly settings: readonly Setting[];
  /** What the tests run against, and what they cannot show. */
  readonly verifiedAgainst: readonly string[];
}
