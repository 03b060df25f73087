package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.zoo.HubUpload;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a model in a format of other programs. */
@Command(
    name = "export",
    sortOptions = false,
    description = {
      "Writes a model in a format of other programs, and prints what is in the file.",
      "With --to hub it uploads a model's folder to Hugging Face's hub.",
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
      paramLabel = "gguf|onnx|safetensors|dl4j|hub",
      required = true,
      description = {
        "gguf: a file for llama.cpp, Ollama and their like.",
        "onnx: a folder with an encoder and its head for onnxruntime, DJL and langchain4j.",
        "safetensors: a folder for transformers, in another type of floats or other shards.",
        "dl4j: a file with a classifier of texts as Deeplearning4j's ComputationGraph.",
        "hub: the folder --model as it is, with its card, to the repository OWNER/NAME, in one commit;",
        "HF_TOKEN is a token that may write."
      })
  private ExportFormat format;

  @Option(
      names = {"--type", "--dtype"},
      paramLabel = "TYPE",
      description = {
        "How weights are stored; default f32.",
        "gguf: f32, f16, bf16, q8_0 (8 bits) or q4_k (4 bits); onnx, dl4j: f32; safetensors: f32, f16",
        "or bf16."
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
      description = "The file or folder to write; it is there only when it is complete.")
  private Path output;

  @Parameters(
      arity = "0..1",
      paramLabel = "OWNER/NAME",
      description = "The repository of --to hub; a new one is private.")
  private String repository;

  @Option(names = "--public", description = "Of --to hub: make a new repository public.")
  private boolean visible;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (format == ExportFormat.HUB) {
      out.println(upload());
      out.flush();
      return 0;
    }
    if (output == null || repository != null || visible) {
      throw new BadSettingsException(
          "--to %s needs --output, the file or folder to write, and takes no OWNER/NAME and no"
              + " --public.",
          format);
    }
    try (ModelFiles files = Models.open(model)) {
      format
          .export(files, new ExportFormat.Request(type, adapter, output, shard))
          .forEach(out::println);
      out.flush();
    }
    return 0;
  }

  private String upload() {
    if (repository == null || output != null || type != null || adapter != null || shard != null) {
      throw new BadSettingsException(
          "--to hub needs OWNER/NAME, and uploads the folder --model as it is: leave --output, --type,"
              + " --shard and --adapter out.");
    }
    HubUpload.Uploaded uploaded =
        HubUpload.upload(Path.of(model), repository, visible, DownloadProgress.onStandardError());
    return String.format(
        Locale.ROOT,
        "%d files, %.1f MB: %s",
        uploaded.files(),
        uploaded.bytes() / 1e6,
        uploaded.address());
  }
}
