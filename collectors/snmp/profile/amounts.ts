/** Memory and volumes: size, used part and share from any two of size, used, free and share. */
import type { ValueOrText } from '#config/profile.ts';
import { numberOf } from './cell.ts';
import { type CompiledKind, type Kind, nameText } from './labels.ts';
import type { Scope } from './scope.ts';
import { type CompileContext, compileValue, type Evaluate } from './value.ts';

/** A value that a profile may leave out. */
export const optional = (value: ValueOrText | undefined, context: CompileContext): Evaluate =>
  value === undefined ? () => undefined : compileValue(value, context);

/** A value as a plain number. */
export const plain = (evaluate: Evaluate, scope: Scope): number | undefined => {
  const number = numberOf(evaluate(scope));
  return number === undefined ? undefined : Number(number);
};

interface Amounts {
  readonly size?: number | undefined;
  readonly used?: number | undefined;
  readonly ratio?: number | undefined;
}

/**
 * Size, used part and share from what is known of size, used, free and share. Counters that were read at different
 * moments may give a little less than nothing: that is 0. Anything else that does not fit together is absent.
 */
export function amounts(known: {
  readonly size?: number | undefined;
  readonly used?: number | undefined;
  readonly free?: number | undefined;
  readonly ratio?: number | undefined;
}): Amounts {
  const { free } = known;
  const ratio = known.ratio !== undefined && known.ratio >= 0 && known.ratio <= 1 ? known.ratio : undefined;
  const size = known.size ?? (known.used !== undefined && free !== undefined ? known.used + free : undefined);
  if (size === undefined) return { ratio };
  if (!(size > 0) || size > Number.MAX_SAFE_INTEGER) return {};
  let used = known.used ?? (free === undefined ? undefined : size - free);
  used ??= ratio === undefined ? undefined : size * ratio;
  if (used === undefined) return { size };
  if (used < 0 && used >= -0.05 * size) used = 0;
  if (used < 0 || used > size) return {};
  return { size: Math.round(size), used: Math.round(used), ratio: ratio ?? used / size };
}

export function memoryReading(reading: Kind<'memory'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.memory, context);
  const size = optional(reading.size, context);
  const used = optional(reading.used, context);
  const free = optional(reading.free, context);
  const ratio = optional(reading.used_ratio, context);
  return {
    name: (scope) => nameText(name(scope)),
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      if (text === undefined) return false;
      const found = amounts({
        size: plain(size, scope),
        used: plain(used, scope),
        free: plain(free, scope),
        ratio: plain(ratio, scope),
      });
      const labels = output.labels({ memory: unique(text) });
      // The size alone says that there is a table, not that this source can tell what is used.
      if (found.ratio === undefined && found.used === undefined) return false;
      if (found.size !== undefined) output.add('siteward_memory_size_bytes', labels, found.size);
      if (found.used !== undefined) output.add('siteward_memory_used_bytes', labels, found.used);
      if (found.ratio !== undefined) output.add('siteward_memory_used_ratio', labels, found.ratio);
      return true;
    },
  };
}

export function filesystemReading(reading: Kind<'filesystem'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.filesystem, context);
  const size = compileValue(reading.size, context);
  const used = optional(reading.used, context);
  const free = optional(reading.free, context);
  const ratio = optional(reading.used_ratio, context);
  return {
    name: (scope) => nameText(name(scope)),
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      if (text === undefined) return false;
      const found = amounts({
        size: plain(size, scope),
        used: plain(used, scope),
        free: plain(free, scope),
        ratio: plain(ratio, scope),
      });
      if (found.size === undefined || found.used === undefined) return false;
      const labels = output.labels({ mountpoint: unique(text) });
      output.add('siteward_filesystem_size_bytes', labels, found.size);
      output.add('siteward_filesystem_used_bytes', labels, found.used);
      return true;
    },
  };
}
