import type { FilesClient } from '@cairn/client-sdk';
import { type Fault, isFault, type Root } from '@cairn/primitives';
import type { FileLibrary } from '../doors/files/readable-file.ts';
import { type FileLocator, mergeFileInfos } from './locate-file.ts';

/** Files read from their holders, every byte proven before it is handed on. */
export function holderLibrary(deps: {
  readonly files: Pick<FilesClient, 'open'>;
  readonly locator: FileLocator;
}): FileLibrary {
  return {
    async openRoot(root, { signal }) {
      try {
        const file = await deps.files.open({ root }, { signal });
        return {
          etag: root,
          sizeBytes: file.sizeBytes,
          read: (offset, length, options) => file.stream(options, { offset, length }),
        };
      } catch (error) {
        if (isAbsence(error)) return undefined;
        throw error;
      }
    },
    async rootAt(sequence, { signal }): Promise<Root | undefined> {
      return mergeFileInfos(await deps.locator.infos(sequence, signal))?.tx.dataMerkleRoot;
    },
  };
}

function isAbsence(error: unknown): error is Fault {
  return isFault(error, 'SDK_FILE_NOT_FOUND');
}
