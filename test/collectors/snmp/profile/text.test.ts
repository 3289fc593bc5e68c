import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, labelText, saysNoSerial, saysNothing } from '#collectors/snmp/profile/text.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const latin = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('decoding text', () => {
  test('padding with NUL and spaces goes away', () => {
    expect(decodeText(utf8('  Tray 1 \u0000\u0000'))).toBe('Tray 1');
    expect(decodeText(utf8('\u0000'))).toBe('');
  });

  test('UTF-8 is read as UTF-8', () => {
    expect(decodeText(utf8('Größe – 廃トナー'))).toBe('Größe – 廃トナー');
  });

  test('what is no UTF-8 is Latin-1, with its accents', () => {
    expect(decodeText(latin('Noir - récupération'))).toBe('Noir - récupération');
    expect(decodeText(latin('Büro-Server'))).toBe('Büro-Server');
  });

  test('Shift-JIS is recognised by its kana', () => {
    expect(decodeText(bytes('83 67 83 69 81 5b'))).toBe('トナー');
  });

  test('UTF-16 is recognised with and without a mark', () => {
    expect(decodeText(new Uint8Array(Buffer.from('Tray 1', 'utf16le')))).toBe('Tray 1');
    expect(decodeText(new Uint8Array(Buffer.from('\ufeffTray 1', 'utf16le')))).toBe('Tray 1');
    expect(decodeText(bytes('0054 0072 0061 0079'))).toBe('Tray');
  });

  test('line breaks, control characters and direction marks become one space', () => {
    expect(decodeText(utf8('Cisco IOS\r\nVersion\t15\u0007'))).toBe('Cisco IOS Version 15');
    expect(decodeText(utf8('admin\u202etxt.exe'))).toBe('admin txt.exe');
  });

  test('two octets before a text, as HP sends them, go away', () => {
    expect(decodeText(bytes('01 15 43 4e 31 32'))).toBe('CN12');
  });

  test('no octets whatever give a text that is unfit to show', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const text = labelText(decodeText(octets));
        expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u2028]/u);
        expect(text.length).toBeLessThanOrEqual(200);
        expect(text.trim()).toBe(text);
      }),
    );
  });
});

describe('texts that say nothing', () => {
  test.each(['', 'N/A', 'n/a', '-', '(null)', 'Unknown', 'Not Specified', 'To be filled by O.E.M.', ' none '])(
    '%j',
    (text) => {
      expect(saysNothing(text)).toBe(true);
    },
  );

  test.each(['0', 'Tray 1', 'unknown device'])('%j says something', (text) => {
    expect(saysNothing(text)).toBe(false);
  });

  test.each(['0000000', 'XXXXXXXX', '........', '0', 'N/A', '00-00-00'])('%j is no serial number', (text) => {
    expect(saysNoSerial(text)).toBe(true);
  });

  test.each(['1234567890', 'CN00000001', '11'])('%j may be a serial number', (text) => {
    expect(saysNoSerial(text)).toBe(false);
  });
});
