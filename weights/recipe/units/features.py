"""The measures and scores of each unit, and the sign that each weight may have.

"+" and "-" are determined by anatomy: the weight keeps that sign. Features after "~" separate the unit from its neighbours and
may have either sign.
"""

from measures import MEASURES, USED

TEXT = {
    1: """+ Up(107,133) Up(66,133) Up(55,133) Up(107,168) Up(107,70) Up(55,168) browInnerUp - browDown Dist(107,108) Dist(66,69)
          ~ Up(105,159) Up(63,33) Out(107,168) Out(55,168) Front(107,168) eyeLookUp eyeBlink eyeSquint""",
    2: """+ Up(105,159) Up(63,33) Up(70,33) Up(46,33) Up(53,33) Up(66,63) browOuterUp - Up(107,70) Dist(105,104)
          ~ Up(107,133) Up(55,133) Up(225,33) browInnerUp browDown eyeLookUp eyeBlink Front(105,168)""",
    4: """+ browDown Dist(129,133) - Up(107,133) Up(66,133) Up(105,159) Up(55,133) Out(107,168) Out(55,168) Up(9,168) Dist(55,193)
          Dist(107,9) browInnerUp Up(222,159) ~ Front(107,168) Front(9,168) Up(70,33) Up(53,33) Up(129,168) Dist(33,133) eyeLookDown""",
    5: """+ Dist(159,145) Dist(158,153) Dist(160,144) Up(159,133) Up(159,33) Up(157,133) Up(161,33) Up(159,468) eyeWide
          - eyeBlink eyeSquint Dist(27,159) Up(27,159) Up(225,33) ~ Up(65,159) Up(105,159) Up(145,133) Dist(33,133) eyeLookUp eyeLookDown
          Up(145,33) Up(33,133) Up(468,145)""",
    6: """+ Up(145,133) Up(145,33) Up(50,168) Up(117,33) Up(111,33) Up(205,168) Up(31,33) Up(228,33) eyeSquint mouthSmile
          - Dist(145,230) Up(145,118) Up(145,101) Up(145,50) Dist(159,145) eyeWide ~ Front(50,168) Front(118,168) Front(205,168)
          Up(36,168) Front(36,168) eyeLookDown eyeBlink Up(61,168) Out(61,2)""",
    7: """+ Up(145,133) Up(145,33) eyeSquint - Dist(159,145) Dist(158,153) Dist(160,144) eyeWide Up(468,145)
          ~ eyeBlink Dist(33,133) Up(145,23) Up(159,133) Up(159,33) Up(50,168) Dist(145,230) mouthSmile eyeLookDown eyeLookUp browDown Up(33,133)""",
    9: """+ Up(129,168) Up(98,168) Up(64,168) Up(126,168) Up(115,168) Up(129,4) Up(98,4) Up(142,168) Up(203,168)
          - Dist(129,133) Dist(115,133) Dist(193,133) Dist(168,197) Up(55,133) ~ Front(129,168) Front(126,168) Dist(36,129) mouthSmile
          mouthUpperUp Out(129,4) browDown Up(70,33) Front(203,168) Up(228,33) Up(4,168)""",
    10: """+ mouthUpperUp Up(0,2) Up(37,2) Up(39,2) Up(40,2) Up(13,2) Up(81,2) Up(92,2) Up(165,2)
          ~ Dist(13,14) Up(81,13) Up(129,168) Up(98,4) Up(64,168) mouthSmile jawOpen Dist(0,13) Dist(36,129) mouthLowerDown
          mouthClose mouthRollUpper mouthShrugLower""",
    12: """+ mouthSmile Out(61,2) Out(78,2) Up(61,13) Up(61,14) Up(61,2) Up(61,168) Up(61,17) - Dist(61,129) Front(61,13) mouthFrown
          mouthPucker ~ mouthStretch Up(57,61) jawOpen Up(216,61) Up(84,17) mouthDimple Up(81,13)""",
    14: """+ mouthDimple mouthPress - Front(61,2) Front(61,13) ~ Up(61,13) mouthSmile mouthStretch Dist(43,61) Dist(57,61) Out(57,61)
          Out(216,61) Front(216,61) Out(61,2) Up(57,61) Dist(0,13) Up(186,61) jawOpen mouthRollLower mouthRollUpper Front(129,168)""",
    15: """+ Dist(61,129) mouthFrown - Up(61,13) Up(61,0) Up(61,14) Up(61,17) Up(61,2) Up(61,168) Up(91,17) Up(181,17) mouthSmile
          ~ Up(84,17) Up(202,61) Dist(43,61) mouthShrugLower Out(61,2) jawOpen mouthStretch mouthRollLower mouthPress Up(57,61) Dist(17,18)
          mouthRollUpper Dist(165,61) Out(91,17)""",
    17: """+ mouthShrugLower Up(17,2) Up(14,2) Up(17,152) Up(17,199) Up(0,2) Up(37,2) Front(17,0) - Dist(17,18) jawOpen
          ~ Front(18,17) Front(200,17) Front(0,2) Front(17,2) Dist(14,17) Up(61,13) mouthPucker mouthFrown mouthPress
          mouthRollLower mouthRollUpper mouthSmile Up(18,200) Dist(17,200) Front(212,61) Up(39,2) Dist(165,61)""",
    20: """+ mouthStretch Out(61,2) Out(78,2) Out(91,17) - mouthSmile Up(61,13) Dist(0,13) Dist(14,17) Up(61,168)
          ~ Up(61,17) mouthDimple jawOpen Up(92,2) Up(84,17) Front(61,13) Front(212,61) Out(202,61) Dist(57,61) mouthLowerDown mouthFrown
          mouthShrugUpper Front(61,2) Up(81,13)""",
    23: """+ mouthPress mouthRollLower mouthRollUpper - Dist(0,13) Dist(14,17) Dist(39,81) Dist(181,178) Dist(13,14) Front(0,2) Front(17,2)
          Front(13,2) Front(14,2) mouthSmile ~ Up(37,0) Up(84,17) mouthPucker Up(17,2) Out(61,2) mouthShrugLower Up(186,61) Up(57,61)
          Up(181,17) mouthDimple Dist(17,18)""",
    25: """+ Dist(13,14) Dist(82,87) Dist(81,178) mouthLowerDown mouthUpperUp - mouthClose mouthPress mouthRollLower Up(14,2)
          ~ jawOpen mouthFunnel Up(2,152) Up(168,152) Dist(14,17) mouthShrugLower""",
    26: """+ jawOpen Dist(13,14) Up(2,152) Up(168,152) Up(168,199) mouthFunnel - Up(14,2) Up(17,2) Up(61,2)
          ~ mouthClose mouthPucker Out(61,2) Up(204,152) Out(132,168) Up(168,132) Up(13,2) mouthLowerDown mouthUpperUp Dist(14,17) mouthSmile""",
    45: """+ eyeBlink Up(27,159) Dist(27,159) - Dist(159,145) Dist(158,153) Dist(160,144) Up(159,133) Up(159,33) Up(159,468) Up(157,133)
          eyeWide ~ eyeSquint eyeLookDown Dist(33,133) Up(65,159) Up(145,133) Up(145,23)""",
}

NAMES = [f"{kind}({a},{b})" for kind, a, b in MEASURES] + USED


def signs(code):
    """{feature index: -1, 0 or 1} of a unit."""
    at, sign, out = {n: i for i, n in enumerate(NAMES)}, 1, {}
    for word in TEXT[code].split():
        if word in "+-~":
            sign = {"+": 1, "-": -1, "~": 0}[word]
        else:
            out[at[word]] = sign
    return out
