package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.formats.RegexGuard;

/** Only the guard reads damaged values here: the native library would not always survive them. */
class TokenizerGuardTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MODEL =
      "'model':{'type':'WordLevel','vocab':{'a':0,'[U]':1},'unk_token':'[U]'}";

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  private static void checkStep(String field, String step) {
    TokenizerGuard.check(json("{'" + field + "':" + step + "," + MODEL + "}"), "m");
  }

  private static void assertDamaged(String wanted, Runnable check) {
    String message = assertThrows(BadInputException.class, check::run).getMessage();
    System.out.println(message);
    assertTrue(message.startsWith("m, tokenizer.json: ") && message.contains(wanted), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          normalizer; {'type':'Sequence','normalizers':[{'type':'NFC'},{'type':'Lowercase'}]}
          normalizer; {'type':'Replace','pattern':{'Regex':' {2,}'},'content':' '}
          normalizer; {'type':'Replace','pattern':{'String':' '},'content':'\u2581'}
          normalizer; {'type':'Prepend','prepend':'\u2581'}
          pre_tokenizer; {'type':'FixedLength','length':5}
          pre_tokenizer; {'type':'Metaspace','replacement':'\u2581','prepend_scheme':'first','split':true}
          pre_tokenizer; {'type':'CharDelimiterSplit','delimiter':'|'}
          post_processor; {'type':'BertProcessing','sep':['a',0],'cls':['[U]',1]}
          decoder; {'type':'Strip','content':' ','start':1,'stop':0}
          decoder; {'type':'CTC','pad_token':'a','word_delimiter_token':'|','cleanup':true}
          normalizer; null
          """)
  void acceptsValidFiles(String field, String step) {
    assertDoesNotThrow(() -> checkStep(field, step));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          normalizer.type must be one of BertNormalizer; normalizer; {'type':'Other'}
          normalizer.type must be one of BertNormalizer; normalizer; {}
          normalizer must be an object, but is 3; normalizer; 3
          normalizer.normalizers must be a list; normalizer; {'type':'Sequence','normalizers':{}}
          pre_tokenizer.length must be a whole number from 1; pre_tokenizer; {'type':'FixedLength','length':-1}
          pre_tokenizer.replacement must be one character; pre_tokenizer; {'type':'Metaspace','replacement':'ab'}
          pre_tokenizer.pattern must be a String or a Regex; pre_tokenizer; {'type':'Split','pattern':{},'behavior':'Isolated','invert':false}
          without a repetition within a repetition; pre_tokenizer; {'type':'Split','pattern':{'Regex':'(a+)+b'},'behavior':'Isolated','invert':false}
          precompiled_charsmap must be a whole map; normalizer; {'type':'Precompiled','precompiled_charsmap':'AAAA'}
          precompiled_charsmap must be in base 64; normalizer; {'type':'Precompiled','precompiled_charsmap':'?'}
          post_processor.sep must be a token and its number; post_processor; {'type':'BertProcessing','sep':['a',-1],'cls':['[U]',1]}
          decoder.start must be a whole number from 0; decoder; {'type':'Strip','content':' ','start':-1,'stop':0}
          """)
  void rejectsDamagedFiles(String wanted, String field, String step) {
    assertDamaged(wanted, () -> checkStep(field, step));
  }

  @Test
  void limitsGrowth() {
    String eight = "{'type':'Replace','pattern':{'String':'a'},'content':'aaaaaaaa'}";
    String two = "{'type':'Sequence','normalizers':[" + eight + "," + eight + "]}";
    assertDoesNotThrow(() -> checkStep("normalizer", two));
    String three = "{'type':'Sequence','normalizers':[" + eight + "," + two + "]}";
    assertDamaged("more than 64 times as long", () -> checkStep("normalizer", three));
    String deep = "{'type':'Sequence','decoders':[".repeat(9) + "]}".repeat(9);
    assertDamaged("at most 8 deep", () -> checkStep("decoder", deep));
  }

  @Test
  void checksTheTokensOfTemplates() {
    String template =
        "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'%s','type_id':0}},"
            + "{'Sequence':{'id':'%s','type_id':0}}],'pair':[{'Sequence':{'id':'A','type_id':0}},"
            + "{'Sequence':{'id':'B','type_id':1}}],"
            + "'special_tokens':{'[C]':{'id':'[C]','ids':[0],'tokens':%s}}}";
    String field = "post_processor";
    assertDoesNotThrow(() -> checkStep(field, template.formatted("[C]", "A", "['[C]']")));
    assertDamaged(
        "post_processor.single must be a list of pieces",
        () -> checkStep(field, template.formatted("[D]", "A", "['[C]']")));
    assertDamaged(
        "post_processor.single must be a list of pieces",
        () -> checkStep(field, template.formatted("[C]", "B", "['[C]']")));
    assertDamaged(
        "special_tokens must be an object whose ids and tokens",
        () -> checkStep(field, template.formatted("[C]", "A", "[]")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          model must be an object, but is missing; `{}`
          model.type must be BPE; `{'model':{'type':'Other','vocab':{}}}`
          the token 'a' has the number -1; `{'model':{'type':'BPE','vocab':{'a':-1},'merges':[]}}`
          the merge "a b" does not make; `{'model':{'type':'BPE','vocab':{'a':0,'b':1},'merges':['a b']}}`
          does not make a token; `{'model':{'vocab':{'a':0,'b':1,'ab':2},'merges':[['a','b']],'continuing_subword_prefix':'##'}}`
          model.merges must be a list; `{'model':{'type':'BPE','vocab':{'a':0}}}`
          model.dropout must be 0; `{'model':{'type':'BPE','vocab':{'a':0},'merges':[],'dropout':0.5}}`
          model.unk_id must be a token's number, below 1; `{'model':{'type':'Unigram','vocab':[['a',-1.5]],'unk_id':1}}`
          model.vocab must be a list of tokens and their finite scores; `{'model':{'type':'Unigram','vocab':[]}}`
          model.max_input_chars_per_word must be at most; `{'model':{'type':'WordPiece','vocab':{'a':0},'max_input_chars_per_word':1000000}}`
          added_tokens[0].content must be a text of 1 to 2000 characters; `{'model':{'vocab':{'a':0}},'added_tokens':[{'id':0,'content':''}]}`
          """)
  void rejectsDamagedModels(String wanted, String text) {
    assertDamaged(wanted, () -> TokenizerGuard.check(json(text), "m"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
        " ?[^(\\s|[.,!?…。，、।۔،])]+",
        "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))",
        "(a+)?b",
        "[(a+)+]",
        "\\(a+\\)+",
        "(?:ab|c)+"
      })
  void acceptsRegularExpressionsOfTokenizers(String regex) {
    assertFalse(RegexGuard.repeatsRepetition(regex));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"(a+)+", "(a*)*b", "((?:a|b+)c?)*", "(\\p{L}+)+", "(a{2,}b?)+", "(a+){3,}"})
  void findsNestedRepetitions(String regex) {
    assertTrue(RegexGuard.repeatsRepetition(regex));
  }

  /** A map of a to "b" in the layout of darts-clone. */
  private static byte[] characterMap(int child, int value, String texts) {
    int[] units = new int[512];
    units[0] = 256 << 10; // the root's children
    units[256 ^ 'a'] = child << 10 | 1 << 8 | 'a';
    int leaf = 256 ^ 'a' ^ child;
    if (leaf < units.length) {
      units[leaf] = 1 << 31 | value;
    }
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * units.length + texts.length());
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(4 * units.length);
    for (int unit : units) {
      bytes.putInt(unit);
    }
    return bytes.put(texts.getBytes(StandardCharsets.US_ASCII)).array();
  }

  @Test
  void checksCharacterMaps() {
    assertTrue(CharacterMap.isWhole(characterMap(1, 0, "b\0")));
    assertFalse(CharacterMap.isWhole(characterMap(1, 9, "b\0")), "a place behind the texts");
    assertFalse(CharacterMap.isWhole(characterMap(1 << 12, 0, "b\0")), "a child outside");
    byte[] whole = characterMap(1, 0, "b\0");
    whole[0]++;
    assertFalse(CharacterMap.isWhole(whole), "an odd size");
    assertFalse(CharacterMap.isWhole(new byte[0]));
    String step = "{'type':'Precompiled','precompiled_charsmap':'%s'}";
    String text = Base64.getEncoder().encodeToString(characterMap(1, 0, "b\0"));
    TextTokenizer tokenizer =
        TextTokenizer.open(
            ("{\"normalizer\":" + step.formatted(text).replace('\'', '"') + ",")
                .concat(MODEL.replace('\'', '"') + ",\"pre_tokenizer\":null,\"version\":\"1.0\"")
                .concat(",\"added_tokens\":[],\"post_processor\":null,\"decoder\":null}")
                .getBytes(StandardCharsets.UTF_8),
            "m",
            10,
            false);
    assertEquals(1, tokenizer.encode("a", null).ids()[0], "a is b, which is unknown");
    assertEquals(1, tokenizer.encode("b", null).ids()[0]);
  }
}
