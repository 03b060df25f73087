package org.tokentune.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.adapters.Adapter;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.models.Architectures;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;

/**
 * Writes a sentence encoder as a folder of sentence-transformers 6.2.
 *
 * @param files that it was made of
 * @param maxLength to which its texts were cut; null: as the files say
 */
record SavedSentenceModel(ModelFiles files, SentenceModules modules, Integer maxLength) {

  private static final ObjectWriter JSON = new ObjectMapper().writerWithDefaultPrettyPrinter();

  /** Writes it, as {@link SavedModel#write}. */
  static boolean write(
      Path folder,
      SavedSentenceModel saved,
      TransformerModel model,
      Parameters parameters,
      Adapter adapter) {
    return SavedModel.merged(
        model, parameters, adapter, (base, merged) -> saved.write(folder, base, merged));
  }

  private boolean write(Path folder, TransformerModel model, Parameters parameters) {
    ObjectNode config = files.config().deepCopy();
    String type = config.path("model_type").asText("bert");
    config.put("model_type", type);
    Architectures.of(Objectives.EMBED, type)
        .ifPresent(name -> config.putArray("architectures").add(name));
    config.remove(List.of("problem_type", "tokentune"));
    model.config().write(config);
    Map<String, INDArray> encoder = new LinkedHashMap<>();
    Map<String, Map<String, INDArray>> dense = new TreeMap<>();
    parameters
        .asMap()
        .forEach(
            (name, array) -> {
              String layer = SentenceModules.folderOf(name);
              if (layer != null) {
                dense
                    .computeIfAbsent(layer, key -> new LinkedHashMap<>())
                    .put(name.substring(layer.length() + 1), array);
              } else {
                encoder.put(withoutPrefix(name, model), array);
              }
            });
    SavedModel.poolers(files, model)
        .forEach((name, array) -> encoder.putIfAbsent(withoutPrefix(name, model), array));
    ModelWriter.Extra companions =
        staged -> {
          TokenizerJson.writeCompanions(staged, files);
          writeModules(staged, model.config().hidden());
          for (Map.Entry<String, Map<String, INDArray>> layer : dense.entrySet()) {
            SafeTensorsWriter.write(
                staged.resolve(layer.getKey()).resolve(ModelFolder.WEIGHTS),
                layer.getValue(),
                FloatType.F32);
          }
        };
    return SavedModel.write(folder, config, encoder, model, parameters, companions, files);
  }

  private static String withoutPrefix(String name, TransformerModel model) {
    return name.startsWith(model.prefix()) ? name.substring(model.prefix().length()) : name;
  }

  /** Writes the list of modules and their settings, where the files do not have them already. */
  private void writeModules(Path staged, int hidden) throws IOException {
    CompanionFiles has = files.companions();
    JsonNodeFactory json = JsonNodeFactory.instance;
    if (!has.names().contains(CompanionFiles.MODULES)) {
      ArrayNode list = json.arrayNode();
      add(list, "", "base.modules.transformer.Transformer");
      add(list, "1_Pooling", "sentence_transformer.modules.pooling.Pooling");
      add(list, "2_Normalize", "base.modules.normalize.Normalize");
      write(staged.resolve(CompanionFiles.MODULES), list);
      ObjectNode pooling = json.objectNode().put("embedding_dimension", hidden);
      pooling.put("pooling_mode", "mean").put("include_prompt", true);
      write(staged.resolve("1_Pooling").resolve(ModelFolder.CONFIG), pooling);
      ObjectNode normalize = json.objectNode().put("module_input_name", "sentence_embedding");
      normalize.put("module_output_name", "sentence_embedding");
      write(staged.resolve("2_Normalize").resolve(ModelFolder.CONFIG), normalize);
    }
    if (!has.names().contains(CompanionFiles.SENTENCE_TRANSFORMERS)) {
      ObjectNode settings = json.objectNode().put("model_type", "SentenceTransformer");
      settings.putObject("prompts").put("query", "").put("document", "");
      settings.putNull("default_prompt_name").put("similarity_fn_name", "cosine");
      write(staged.resolve(CompanionFiles.SENTENCE_TRANSFORMERS), settings);
    }
    if (maxLength != null || !has.names().contains(CompanionFiles.SENTENCE_CONFIG)) {
      ObjectNode transformer =
          has.json(CompanionFiles.SENTENCE_CONFIG)
              .<ObjectNode>map(known -> known.deepCopy())
              .orElseGet(json::objectNode);
      if (maxLength != null) {
        transformer.put("max_seq_length", maxLength);
      }
      write(staged.resolve(CompanionFiles.SENTENCE_CONFIG), transformer);
    }
  }

  private static void add(ArrayNode modules, String path, String type) {
    int number = modules.size();
    modules
        .addObject()
        .put("idx", number)
        .put("name", Integer.toString(number))
        .put("path", path)
        .put("type", "sentence_transformers." + type);
  }

  private static void write(Path file, Object json) throws IOException {
    Files.createDirectories(file.getParent());
    JSON.writeValue(file.toFile(), json);
  }
}
