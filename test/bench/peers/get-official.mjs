// The official SDK downloading a file from one node, which it does not verify: node URL, root, path.
import { Downloader, StorageNode } from '@0gfoundation/0g-ts-sdk';

const [node, root, path] = process.argv.slice(2);
console.log = () => undefined;
const error = await new Downloader([new StorageNode(node)]).download(root, path, false);
if (error !== null) throw error;
process.exit(0);
