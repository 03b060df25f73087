package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.tokentune.formats.ModelFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a model in a format of other programs. */
@Command(
    name = "export",
    sortOptions = false,
    description = {
      "Writes a model in a format of other programs, and prints what is in the file.",
      "docs/export.md has a table of what each format can hold."
    },
    mixinStandardHelpOptions = true)
final class ExportCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "PATH",
      required = true,
      description = "A Hugging Face folder, a model of the zoo, or any other model that is read.")
  private String model;

  @Option(
      names = "--to",
      paramLabel = "gguf|onnx|safetensors",
      required = true,
      description = {
        "gguf: a file for llama.cpp, Ollama and their like.",
        "onnx: a folder with an encoder and its head for onnxruntime, DJL and langchain4j.",
        "safetensors: a folder for transformers, in another type of floats or other shards."
      })
  private ExportFormat format;

  @Option(
      names = {"--type", "--dtype"},
      paramLabel = "TYPE",
      description = {
        "How weights are stored; default f32.",
        "gguf: f32, f16, bf16, q8_0 (8 bits) or q4_k (4 bits); onnx: f32; safetensors: f32, f16 or",
        "bf16."
      })
  private String type;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "Write these adapters on the model, as a file of their own, and not the model.")
  private Path adapter;

  @Option(
      names = "--shard",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "Most bytes of a file of safetensors, such as 2GB; default 5GB.")
  private Long shard;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      required = true,
      description = "The file or folder to write; it is there only when it is complete.")
  private Path output;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (ModelFiles files = Models.open(model)) {
      format
          .export(files, new ExportFormat.Request(type, adapter, output, shard))
          .forEach(out::println);
      out.flush();
    }
    return 0;
  }
}
