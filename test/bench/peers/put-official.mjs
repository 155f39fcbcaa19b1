// The official SDK uploading a file to one node: node URL, chain RPC, flow address, key, path.
import { getFlowContract, StorageNode, Uploader, ZgFile } from '@0gfoundation/0g-ts-sdk';
import { ethers } from 'ethers';

const [node, rpc, flowAddress, key, path] = process.argv.slice(2);
console.log = () => undefined;
const provider = new ethers.JsonRpcProvider(rpc);
const signer = new ethers.Wallet(key, provider);
const file = await ZgFile.fromFilePath(path);
const uploader = new Uploader([new StorageNode(node)], rpc, getFlowContract(flowAddress, signer));
const [result, error] = await uploader.uploadFile(
  file,
  {},
  { Retries: 10, Interval: 1, MaxGasPrice: 0, TooManyDataRetries: 3 },
);
if (error !== null) throw error;
process.stdout.write(`${result.rootHash}\n`);
process.exit(0);
