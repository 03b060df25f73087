package org.tokentune.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.ModelFiles;

/** Files beside a reranker's weights, as sentence-transformers 6.2 saves a {@code CrossEncoder}. */
final class CrossEncoderFiles {

  private static final String MODEL_TYPE = "model_type";
  private static final String CROSS_ENCODER = "CrossEncoder";
  private static final String ACTIVATION = "activation_fn";
  private static final String SIGMOID = "torch.nn.modules.activation.Sigmoid";

  private static final ObjectWriter JSON = new ObjectMapper().writerWithDefaultPrettyPrinter();

  private CrossEncoderFiles() {}

  /**
   * Whether a model's files say that it is a cross-encoder.
   *
   * @throws BadFileException if its scores are made of logits by another function than a sigmoid
   */
  static boolean areIn(ModelFiles files) {
    ConfigReader settings = files.companions().object(CompanionFiles.SENTENCE_TRANSFORMERS);
    if (!settings.text(MODEL_TYPE, "").equals(CROSS_ENCODER)) {
      return false;
    }
    String activation = settings.text(ACTIVATION, SIGMOID);
    if (activation.endsWith(".Identity")) {
      Warnings.warn(
          "%s gives logits as scores; here scores are their sigmoid, in the same order.",
          files.name());
    } else if (!activation.endsWith(".Sigmoid")) {
      throw new BadFileException(
          "%s: %s %s is not supported; Sigmoid and Identity are.",
          settings.origin(), ACTIVATION, activation);
    }
    return true;
  }

  /**
   * Writes them, in place of those of a sentence encoder.
   *
   * @param longest tokens to which pairs are cut
   */
  static void write(Path folder, ModelFiles files, int longest) throws IOException {
    TokenizerJson.write(folder, files);
    JsonNodeFactory json = JsonNodeFactory.instance;
    ArrayNode modules = json.arrayNode();
    ObjectNode module = modules.addObject().put("idx", 0).put("name", "0").put("path", "");
    module.put("type", "sentence_transformers.base.modules.transformer.Transformer");
    JSON.writeValue(folder.resolve(CompanionFiles.MODULES).toFile(), modules);
    ObjectNode settings = json.objectNode().put(MODEL_TYPE, CROSS_ENCODER);
    settings.put(ACTIVATION, SIGMOID).putNull("default_prompt_name").putObject("prompts");
    JSON.writeValue(folder.resolve(CompanionFiles.SENTENCE_TRANSFORMERS).toFile(), settings);
    ObjectNode transformer = json.objectNode().put("transformer_task", "sequence-classification");
    transformer
        .putObject("modality_config")
        .putObject("text")
        .put("method", "forward")
        .put("method_output_name", "logits");
    transformer.put("module_output_name", "scores").put("max_seq_length", longest);
    JSON.writeValue(folder.resolve(CompanionFiles.SENTENCE_CONFIG).toFile(), transformer);
  }
}
