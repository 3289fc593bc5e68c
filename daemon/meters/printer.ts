/** Who a printer is: what its meters and bills follow when its address or name changes. */
import type { Identity } from '#collectors/contract.ts';

/** Texts that stand where a serial number was never written. */
const NO_SERIAL = /^(?:[0\-x*#?.\s]+|n\/?a|none|null|\(null\)|unknown|default|serial(?:\s*number)?|1234567890?)$/i;
const LEAST_SERIAL = 4;

/** The serial number, where it is one that tells printers apart. */
export function usableSerial(serial: string | undefined): string | undefined {
  const text = serial?.trim();
  if (text === undefined || text.length < LEAST_SERIAL || NO_SERIAL.test(text)) return undefined;
  // One character over and over is a filling, whatever the character.
  return new Set(text).size > 1 ? text : undefined;
}

/** `VENDOR:SERIAL`, or `name:DEVICE` for a printer without a serial number of its own. */
export function printerKey(device: string, identity: Pick<Identity, 'vendor' | 'serial'> | undefined): string {
  const serial = usableSerial(identity?.serial);
  return serial === undefined ? `name:${device}` : `${identity?.vendor ?? ''}:${serial}`;
}

/** The key of one of two devices that show the same serial and cannot be one printer. */
export const doubledKey = (printer: string, device: string): string => `${printer}@${device}`;
