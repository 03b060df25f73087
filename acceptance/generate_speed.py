"""Parts of generate-speed.sh: makes the model, times tokentune and llama.cpp, prints the table. Times are microseconds a token."""
import os
import statistics
import subprocess
import sys
import time


def make(folder, text):
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    config = transformers.LlamaConfig(
        vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
        max_position_embeddings=1024, tie_word_embeddings=True)
    torch.manual_seed(1)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.BPE())
    words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<s>", "</s>"]
    words.train([text], trainers.BpeTrainer(vocab_size=1000, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    words.add_tokens([f"<word{i}>" for i in range(32000 - words.get_vocab_size())])
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>").save_pretrained(folder)


def here(*command):
    """Times the pieces of text that the command writes, one for each token."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    times = []
    while os.read(process.stdout.fileno(), 1 << 16):
        times.append(time.monotonic())
    if process.wait() != 0 or len(times) < 288:
        sys.exit(f"{' '.join(command)} wrote {len(times)} of 288 pieces")
    print(round((times[287] - times[31]) / 256 * 1e6), flush=True)


def llama(file):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.verbosity = 512, 1, 0, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count()
    server = xllamacpp.Server(params)  # kept until the process ends
    for count in (32, 288):
        made = server.handle_completions(dict(prompt="Once upon a time", n_predict=count, temperature=0, cache_prompt=False, ignore_eos=True))
        times = made["timings"]
        if count == 32:
            first = times["predicted_ms"]
    print(round((times["predicted_ms"] - first) / 256 * 1000), flush=True)
    os._exit(0)


def table(file):
    times = {}
    for line in open(file):
        kind, who, value = line.split()
        times.setdefault(kind, {}).setdefault(who, []).append(int(value) / 1000)
    for kind, of in times.items():
        here, there = statistics.median(of["here"]), statistics.median(of["llama.cpp"])
        print(f"{kind:5} here {here:6.2f} ms a token, llama.cpp {there:6.2f}: {here / there:.2f}")


if __name__ == "__main__":
    {"make": make, "here": here, "llama.cpp": llama, "table": table}[sys.argv[1]](*sys.argv[2:])
