package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.Architectures;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.onnx.OnnxFile;
import org.tokentune.onnx.OnnxValue;

/**
 * Writes an encoder with its head as a folder that onnxruntime, DJL, langchain4j and Optimum load:
 * {@code model.onnx}, {@code config.json}, the tokenizer and the files beside it.
 *
 * <p>Inputs and outputs have Optimum's names. Inputs, INT64 [batch, length]: {@code input_ids},
 * {@code attention_mask} and, where the model has several token types, {@code token_type_ids}.
 * Outputs:
 *
 * <ul>
 *   <li>of a classifier, regression or reranker {@code logits} [batch, outputs]
 *   <li>of a tagger, or a head for hidden words, {@code logits} [batch, length, outputs]
 *   <li>of question answering {@code start_logits} and {@code end_logits} [batch, length]
 *   <li>of an encoder without a head {@code last_hidden_state} [batch, length, hidden], and, as its
 *       {@code modules.json} says, {@code sentence_embedding} [batch, width]
 * </ul>
 */
public final class OnnxExport {

  /** The name of the file with the graph. */
  public static final String FILE = "model.onnx";

  private static final String START_LOGITS = "start_logits";
  private static final String END_LOGITS = "end_logits";
  private static final String LAST_HIDDEN_STATE = "last_hidden_state";
  private static final String SENTENCE_EMBEDDING = "sentence_embedding";
  private static final String BATCH = "batch_size";
  private static final String LENGTH = "sequence_length";

  private final ModelFiles files;
  private final ModelConfig config;
  private final TransformerModel model;
  private final Parameters parameters;

  private OnnxExport(
      ModelFiles files, ModelConfig config, TransformerModel model, Parameters parameters) {
    this.files = files;
    this.config = config;
    this.model = model;
    this.parameters = parameters;
  }

  /**
   * Writes a model, with the head that its {@code config.json} names; one that it has no name for
   * is left out. A model in the folder is replaced; nothing half-written stays.
   *
   * @return the file's outputs, in its order
   * @throws BadInputException for a decoder, if the files say something of vectors that a graph
   *     cannot have, or if the folder cannot be written
   */
  public static List<OnnxValue> write(ModelFiles files, Path folder) {
    required(files, "files");
    required(folder, "folder");

    ModelConfig config = ModelConfig.read(files.config(), files.name());
    if (config.causal()) {
      throw new BadSettingsException(
          "%s is a decoder, and only encoders can be exported as ONNX; export it as GGUF.",
          files.name());
    }
    SavedModel.checkOther(files, folder);
    ModelWriter.checkWritable(folder);
    Optional<Objective> task =
        Architectures.task(files.config(), Head.outputs(files.weights()).orElse(0));
    boolean listed = files.companions().names().contains(CompanionFiles.MODULES);
    OnnxExport export;
    if (task.isPresent()
        && task.get() != Objectives.MASKED_LM
        && Head.outputs(files.weights()).isPresent()) {
      export = ofClassifier(files, config);
    } else if (task.isPresent() && task.get() == Objectives.MASKED_LM && !listed) {
      export = ofVocabulary(files, config.withHeadOf(files.weights()));
    } else {
      export = ofSentences(files, config);
    }
    return export.write(folder);
  }

  private static OnnxExport ofClassifier(ModelFiles files, ModelConfig config) {
    HeadConfig head = HeadConfig.read(files);
    TransformerModel model =
        config.model(new Head(head.labels().task(), head.labels().outputs(), head.pooling()));
    return new OnnxExport(files, config, model, ParameterLoader.load(model, files.weights()));
  }

  private static OnnxExport ofVocabulary(ModelFiles files, ModelConfig config) {
    TransformerModel model =
        config.model(new Head(Objectives.MASKED_LM, config.vocabulary(), Pooling.FIRST));
    return new OnnxExport(files, config, model, ParameterLoader.load(model, files.weights()));
  }

  private static OnnxExport ofSentences(ModelFiles files, ModelConfig config) {
    SentenceModules modules = SentenceModules.read(files);
    String prompt = modules.prompt(null);
    if (!modules.includePrompt()
        && modules.prompts().values().stream().anyMatch(text -> !text.isEmpty())) {
      throw new BadSettingsException(
          "The vectors of %s leave the prompt's tokens out (include_prompt), which an ONNX file"
              + " cannot do; use the model as it is.",
          files.name());
    }
    if (!prompt.isEmpty()) {
      Warnings.warn(
          "%s puts '%s' before every text (default_prompt_name); whoever runs the ONNX file must do"
              + " so as well.",
          files.name(), prompt);
    }
    if (modules.lowerCase()) {
      Warnings.warn(
          "%s lower-cases texts before the tokenizer (do_lower_case); whoever runs the ONNX file"
              + " must do so as well.",
          files.name());
    }
    TransformerModel model =
        config.model(Head.ofSentences(Objectives.EMBED, modules, config.hidden()));
    return new OnnxExport(
        files,
        config,
        model,
        ParameterLoader.loadEncoder(
            model, modules.over(files.weights()), WeightStorage.FLOAT32, 0));
  }

  private List<OnnxValue> write(Path folder) {
    SameDiff sd = model.build(parameters, GraphOptions.inference()).sd();
    List<OnnxValue> outputs = outputs(sd);
    ModelWriter.write(
        folder,
        staged -> {
          OnnxFile.write(staged.resolve(FILE), sd, inputs(), outputs);
          ModelWriter.writeConfig(staged, files.config(), FloatType.F32);
          Files.write(staged.resolve(ModelFolder.TOKENIZER), TokenizerJson.saved(files));
          TokenizerJson.writeCompanions(staged, files);
        });
    return outputs;
  }

  /** Where there is one token type, it need not be given. */
  private List<OnnxValue> inputs() {
    List<OnnxValue> inputs = new ArrayList<>();
    inputs.add(tokens(ModelGraph.INPUT_IDS));
    inputs.add(tokens(ModelGraph.ATTENTION_MASK));
    if (config.tokenTypes() > 1) {
      inputs.add(tokens(ModelGraph.TOKEN_TYPE_IDS));
    }
    return inputs;
  }

  /** Adds what the file names otherwise than the graph, or in another shape. */
  private List<OnnxValue> outputs(SameDiff sd) {
    SDVariable logits = sd.getVariable(ModelGraph.LOGITS);
    String outputs = Integer.toString(model.head().outputs());
    if (model.head().sentence() != null) {
      String hidden = Integer.toString(config.hidden());
      SDVariable sizes =
          sd.concat(
              0,
              sd.shape(sd.getVariable(ModelGraph.INPUT_IDS)),
              sd.constant(Nd4j.createFromArray((long) config.hidden())));
      sd.reshape(sd.getVariable(ModelGraph.hidden(config.layers())), sizes)
          .rename(LAST_HIDDEN_STATE);
      Integer cut = model.head().sentence().dimension();
      int width = model.head().outputs();
      if (cut != null && cut < width) {
        logits = logits.get(SDIndex.all(), SDIndex.interval(0, cut));
        width = cut;
      }
      logits.rename(SENTENCE_EMBEDDING);
      return List.of(
          new OnnxValue(LAST_HIDDEN_STATE, List.of(BATCH, LENGTH, hidden)),
          new OnnxValue(SENTENCE_EMBEDDING, List.of(BATCH, Integer.toString(width))));
    }
    if (model.head().task().equals(Objectives.QUESTION_ANSWERING)) {
      List<OnnxValue> both = new ArrayList<>();
      for (String name : List.of(START_LOGITS, END_LOGITS)) {
        SDIndex column = SDIndex.point(both.size());
        logits.get(SDIndex.all(), SDIndex.all(), column).rename(name);
        both.add(tokens(name));
      }
      return both;
    }
    return List.of(
        new OnnxValue(
            ModelGraph.LOGITS,
            model.head().perToken() ? List.of(BATCH, LENGTH, outputs) : List.of(BATCH, outputs)));
  }

  private static OnnxValue tokens(String name) {
    return new OnnxValue(name, List.of(BATCH, LENGTH));
  }
}
