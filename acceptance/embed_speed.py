"""The other side of embed-speed.sh: MODEL TEXTS VECTORS THREADS. Embeds the lines of TEXTS with sentence-transformers once for every line of
its input and prints the seconds; at the end compares its vectors with those in VECTORS. With onnxruntime installed and a fifth argument, an
ONNX file of the model, times that instead, on batches of 32 sorted by length, mean pooling and normalisation included."""

import sys
import time

import numpy
import torch

folder, file, other, threads = sys.argv[1:5]
torch.set_num_threads(int(threads))
texts = open(file, encoding="utf-8").read().splitlines()

if len(sys.argv) > 5:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(sys.argv[5], options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)

    def embed(some):
        encodings = tokenizer.encode_batch(some)
        order = sorted(range(len(some)), key=lambda i: len(encodings[i].ids))
        vectors = [None] * len(some)
        for start in range(0, len(order), 32):
            batch = order[start : start + 32]
            ids = numpy.zeros((len(batch), len(encodings[batch[-1]].ids)), dtype=numpy.int64)
            mask = numpy.zeros_like(ids)
            for row, i in enumerate(batch):
                ids[row, : len(encodings[i].ids)] = encodings[i].ids
                mask[row, : len(encodings[i].ids)] = 1
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
            states = session.run(None, {name: inputs[name] for name in names})[0]
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
            for row, i in enumerate(batch):
                vectors[i] = pooled[row] / numpy.linalg.norm(pooled[row])
        return numpy.array(vectors, dtype=numpy.float32)

else:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")

    def embed(some):
        return model.encode(some, batch_size=32, show_progress_bar=False)


vectors = embed(texts[:256])
print("ready", flush=True)
for _ in sys.stdin:
    start = time.time()
    vectors = embed(texts)
    print("%.3f" % (time.time() - start), flush=True)
ours = numpy.fromfile(other, dtype=numpy.float32).reshape(len(texts), -1)
print("largest difference %.1e" % numpy.abs(vectors - ours).max(), flush=True)
