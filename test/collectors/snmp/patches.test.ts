import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { decrypt, digest, encrypt, KeyCache, type Library, repair } from '#collectors/snmp/patches.ts';

const require = createRequire(import.meta.url);
const MD5 = 2;
const SHA = 3;
const DES = 2;
const engineId = Buffer.from('000000000000000000000002', 'hex');
const engine = { engineID: engineId, engineBoots: 1, engineTime: 1 };

/** The library as it is published. */
function freshLibrary(): Library {
  const place = require.resolve('net-snmp');
  const kept = require.cache[place];
  delete require.cache[place];
  try {
    return require('net-snmp') as Library;
  } finally {
    if (kept) require.cache[place] = kept;
  }
}

/** OpenSSL has single DES only where its legacy provider is loaded. */
const encryptsDes = ({ Encryption }: Library) => {
  try {
    Encryption.algorithms[DES]?.encryptPdu(Buffer.alloc(16), DES, 'maplesyrup', MD5, engine);
    return true;
  } catch {
    return false;
  }
};

describe('each repair is still needed: when one of these fails, a new net-snmp has made it void, so remove it', () => {
  test('DES of the published library fails on this OpenSSL', () => {
    expect(encryptsDes(freshLibrary())).toBe(false);
  });

  test('the published library keeps keys under the clear password', () => {
    const library = freshLibrary() as Library & { Authentication: { authToKeyCache: Record<string, Buffer> } };

    library.Authentication.passwordToKey(MD5, 'maplesyrup', engineId);

    expect(Object.keys(library.Authentication.authToKeyCache).join()).toContain('maplesyrup');
  });

  test('the published library hashes a megabyte anew for each engine', () => {
    const { Authentication } = freshLibrary();
    const time = (work: () => void) => {
      const start = performance.now();
      work();
      return performance.now() - start;
    };
    Authentication.passwordToKey(SHA, 'maplesyrup', engineId);
    const engines = Array.from({ length: 20 }, (_, n) => Buffer.from(`another engine ${n}`));
    const theirs = time(() => engines.forEach((id) => void Authentication.passwordToKey(SHA, 'maplesyrup', id)));

    const repaired = freshLibrary();
    repair(repaired, new KeyCache());
    repaired.Authentication.passwordToKey(SHA, 'maplesyrup', engineId);
    const ours = time(() => engines.forEach((id) => void repaired.Authentication.passwordToKey(SHA, 'maplesyrup', id)));

    expect(theirs / ours).toBeGreaterThan(10);
  });
});

describe('the repaired library', () => {
  test('makes the keys of RFC 3414, appendix A.3', () => {
    const library = freshLibrary();
    repair(library, new KeyCache());
    const key = (protocol: number) =>
      library.Authentication.passwordToKey(protocol, 'maplesyrup', engineId).toString('hex');

    expect(key(MD5)).toBe('526f5eed9fcce26f8964c2930787d82b');
    expect(key(SHA)).toBe('6695febc9288e36282235fc7151f128497b38f3f');
  });

  test('gives the same keys as the published one', () => {
    const published = freshLibrary();
    const repaired = freshLibrary();
    repair(repaired, new KeyCache());

    for (const protocol of [2, 3, 4, 5, 6, 7]) {
      for (const password of ['maplesyrup', 'pässwörd-€', 'x'.repeat(100)]) {
        expect(repaired.Authentication.passwordToKey(protocol, password, engineId)).toEqual(
          published.Authentication.passwordToKey(protocol, password, engineId),
        );
      }
    }
  });

  test('fits a key to another engine where the password is the same object', () => {
    const published = freshLibrary();
    const repaired = freshLibrary();
    repair(repaired, new KeyCache());
    const password = { protocol: 'sha', key: 'maplesyrup' };
    const another = Buffer.from('another engine');

    const keys = [engineId, another, engineId].map((id) => repaired.Authentication.passwordToKey(SHA, password, id));

    expect(keys).toEqual(
      [engineId, another, engineId].map((id) => published.Authentication.passwordToKey(SHA, 'maplesyrup', id)),
    );
  });

  test('keeps no clear password and no more keys than its limit', () => {
    const keys = new KeyCache(3);

    for (const n of [1, 2, 3, 4, 5]) keys.stretch('md5', `password-${n}`);

    expect(keys.size).toBe(3);
    expect(JSON.stringify(keys)).not.toContain('password');
  });

  test('forgets the key that was unused for longest', () => {
    const keys = new KeyCache(2);
    const stretched = () => keys.stretch('md5', 'one');
    const first = stretched();
    keys.stretch('md5', 'two');

    expect(stretched()).toBe(first);
    keys.stretch('md5', 'three');

    expect(stretched()).toBe(first);
    expect(first).toEqual(createHash('md5').update('one'.repeat(349_526).slice(0, 1_048_576)).digest());
  });

  test.each(['des', 'aes128', 'aes256', 'aes256_cisco'] as const)('%s gives back what it encrypted', (protocol) => {
    const auth = { protocol: 'sha', key: 'authentication' } as const;
    const privacy = { protocol, key: 'privacy-key' } as const;
    const clear: Buffer[] = [];
    const secret: Buffer[] = [];
    for (let length = 1; length < 40; length++) {
      const plain = Buffer.alloc(length, 'x');

      const { octets, salt } = encrypt(plain, privacy, auth, engine);
      const again = decrypt(octets, salt, privacy, auth, engine);

      expect(salt).toHaveLength(8);
      clear.push(plain);
      secret.push(octets.subarray(0, length));
      expect(again.subarray(0, length)).toEqual(plain);
      expect(again.length - length).toBeLessThan(8);
      // A single octet may by chance be enciphered as itself; eight are not, nor are all that are shorter together.
      if (length >= 8) expect(octets.subarray(0, length).equals(plain)).toBe(false);
    }
    const short = (parts: readonly Buffer[]) => Buffer.concat(parts.slice(0, 7));
    expect(short(secret).equals(short(clear))).toBe(false);
  });

  test('never encrypts twice with the same salt', () => {
    const auth = { protocol: 'md5', key: 'authentication' } as const;
    const salts = Array.from({ length: 500 }, () =>
      encrypt(Buffer.alloc(8), { protocol: 'des', key: 'privacy-key' }, auth, engine).salt.toString('hex'),
    );

    expect(new Set(salts).size).toBe(500);
    expect(salts.every((salt) => salt.startsWith('00000001'))).toBe(true); // the engine's boots (RFC 3414, 8.1.1.1)
  });

  test('signs as long as each protocol says', () => {
    const lengths = (['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const).map(
      (protocol) => digest(Buffer.alloc(50), { protocol, key: 'authentication' }, engineId).length,
    );

    expect(lengths).toEqual([12, 12, 16, 24, 32, 48]);
  });
});
