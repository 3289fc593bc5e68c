/** The appliance's own key, with which evidence packs are signed. Ed25519 (RFC 8032). */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PackKey {
  /** PEM. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** The key in the storage folder; made the first time. Only its owner may read it. */
export function packKey(directory: string): PackKey {
  const path = join(directory, 'pack-key.pem');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx' });
    const shown = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
    writeFileSync(join(directory, 'pack-key.pub.pem'), shown, { mode: 0o644 });
  }
  const key = createPrivateKey(readFileSync(path));
  const publicKey = String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  return { publicKey, sign: (bytes) => sign(null, bytes, key) };
}

export function isSignedBy(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, bytes, createPublicKey(publicKey), signature);
  } catch {
    return false;
  }
}

/** Short enough to be read out: what client and MSP compare once. */
export function fingerprint(publicKey: string): string {
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`;
}
