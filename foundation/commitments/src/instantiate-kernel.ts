/**
 * An instance of a kernel in `generated/`, or `undefined` where it does not run.
 *
 * @param isRequired - throw instead of giving `undefined`
 * @throws {Error} the engine's, if the kernel is required
 */
export async function instantiateKernel(
  base64: string,
  isRequired: boolean,
): Promise<WebAssembly.Instance | undefined> {
  if (!isRequired && typeof WebAssembly === 'undefined') return undefined;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  if (!isRequired && !WebAssembly.validate(bytes)) return undefined;
  try {
    const { instance } = await WebAssembly.instantiate(bytes);
    return instance;
  } catch (cause) {
    // A page's content policy may forbid compiling what validates.
    if (isRequired) throw cause;
    return undefined;
  }
}
