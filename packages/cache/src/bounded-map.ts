/** A map of so many entries at most. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined;
  /** For a key that is not there. Where there is no room, the entry that was least recently got makes way. */
  add(key: string, value: Value): void;
}

/** @param onEvicted is given each entry that makes way */
export function boundedMap<Value>(max: number, onEvicted: (value: Value) => void): BoundedMap<Value> {
  // Its order is that in which keys were set, so the first is the one that was least recently got.
  const entries = new Map<string, Value>();
  /** An application with one secret gets the same again and again. */
  let newest: string | undefined;
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined && key !== newest) {
        entries.delete(key);
        entries.set(key, value);
        newest = key;
      }
      return value;
    },
    add(key, value) {
      entries.set(key, value);
      newest = key;
      const [first] = entries;
      if (entries.size <= max || !first) return;
      entries.delete(first[0]);
      onEvicted(first[1]);
    },
  };
}
