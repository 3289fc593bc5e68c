/** What a panel asks for, in the words that a Grafana data source understands. */
export type Query =
  | {
      readonly language: 'promql';
      readonly expr: string;
      readonly legend?: string;
      /** `instant`: the newest value of each series. `range`: values over the time of the board. */
      readonly kind: 'instant' | 'range';
      /** Labels as columns, for tables. */
      readonly table?: true;
    }
  | {
      readonly language: 'influxql';
      readonly statement: string;
      readonly alias?: string;
      readonly table?: true;
    };

/** A drop-down of a board whose values come from the data source. */
export interface QueryVariable {
  readonly name: string;
  readonly label: string;
  /** As the data source takes it: `label_values(…)` or `SHOW TAG VALUES …`. */
  readonly query: string;
  /** One value at a time, for boards about one thing. */
  readonly single?: true;
}
