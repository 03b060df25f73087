package org.tokentune.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.dl4j.ClassifierNetwork;
import org.tokentune.export.GgufAdapter;
import org.tokentune.export.GgufExport;
import org.tokentune.export.GgufType;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFiles;
import org.tokentune.onnx.OnnxValue;
import org.tokentune.text.OnnxExport;
import org.tokentune.text.SafeTensorsExport;

/** A format that {@code export} writes. */
enum ExportFormat {
  GGUF {
    @Override
    List<String> export(ModelFiles files, Request request) {
      request.checkNoShard(this);
      GgufType type = request.type(GgufType.values());
      return request.adapter() == null
          ? GgufExport.model(files, type, request.output())
          : GgufAdapter.write(files, request.adapter(), type, request.output());
    }
  },
  ONNX {
    @Override
    List<String> export(ModelFiles files, Request request) {
      request.checkNoShard(this);
      request.checkFloat32(this);
      request.checkNoAdapter(this);
      return OnnxExport.write(files, request.output()).stream().map(ExportFormat::line).toList();
    }
  },
  SAFETENSORS {
    @Override
    List<String> export(ModelFiles files, Request request) {
      request.checkNoAdapter(this);
      ModelWriter.Storage storage = ModelWriter.Storage.of(request.type(FloatType.values()));
      if (request.shard() != null) {
        storage = new ModelWriter.Storage(storage.type(), request.shard());
      }
      SafeTensorsExport.Written written = SafeTensorsExport.write(files, request.output(), storage);
      return List.of(
          String.format(
              Locale.ROOT,
              "%d tensors, %s, %.1f MB in %d file%s",
              written.tensors(),
              storage.type().torchName,
              written.bytes() / 1e6,
              written.files(),
              written.files() == 1 ? "" : "s"));
    }
  },
  DL4J {
    @Override
    List<String> export(ModelFiles files, Request request) {
      request.checkNoShard(this);
      request.checkNoAdapter(this);
      request.checkFloat32(this);
      long outputs = ClassifierNetwork.write(files, request.output());
      return List.of(
          String.format(
              Locale.ROOT, "inputs ids, mask, types [batch, length]; output [batch, %d]", outputs));
    }
  },
  /** Not a format: files as they are go to a repository. */
  HUB {
    @Override
    List<String> export(ModelFiles files, Request request) {
      throw new IllegalStateException("nothing is converted for the hub");
    }
  };

  /**
   * What is asked for.
   *
   * @param type how weights are stored; null: the format's default
   * @param adapter write these adapters instead of the model; null: the model
   * @param shard most bytes of a file of weights; null: the format's default
   */
  record Request(String type, Path adapter, Path output, Long shard) {

    /** Rejects a size of files for a format that has one file. */
    void checkNoShard(ExportFormat format) {
      if (shard != null) {
        throw new BadSettingsException(
            "--shard is not for --to %s; it is for safetensors.", format);
      }
    }

    /** Rejects other types for a format that has one. */
    void checkFloat32(ExportFormat format) {
      if (type != null && !type.equals("f32")) {
        throw new BadSettingsException(
            "--type %s is not for --to %s, which writes f32; leave it out.", type, format);
      }
    }

    /** Rejects adapters for a format that has none. */
    void checkNoAdapter(ExportFormat format) {
      if (adapter != null) {
        throw new BadSettingsException(
            "--adapter is not for --to %s; save the adapters merged (train --merge), and export that"
                + " model.",
            format);
      }
    }

    /**
     * The type asked for; the first if none is.
     *
     * @param types that a format has
     */
    <T> T type(T[] types) {
      return Arrays.stream(types)
          .filter(one -> type == null || one.toString().equalsIgnoreCase(type))
          .findFirst()
          .orElseThrow(
              () ->
                  BadSettingsException.of(
                      "type", "must be one of %s, got %s.", Arrays.toString(types), type));
    }
  }

  /** Writes the file and returns lines that say what is in it. */
  abstract List<String> export(ModelFiles files, Request request);

  /** An output of an ONNX file. */
  private static String line(OnnxValue output) {
    return output.name() + " [" + String.join(", ", output.shape()) + "]";
  }

  /** The word on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
