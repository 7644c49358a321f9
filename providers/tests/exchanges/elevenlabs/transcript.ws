# https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime
< {"message_type":"session_started","session_id":"0b0a72b57fd743ebbed6555d44836cf2","config":{"sample_rate":16000,"audio_format":"pcm_16000","language_code":"en","commit_strategy":"manual","model_id":"scribe_v2_realtime","include_timestamps":true}}
> {"message_type":"input_audio_chunk","commit":false,"sample_rate":16000}
< {"message_type":"partial_transcript","text":"go forward"}
< {"message_type":"partial_transcript","text":"go forward"}
< {"message_type":"partial_transcript","text":"Go forward ten"}
> {"message_type":"input_audio_chunk","commit":true,"sample_rate":16000}
< {"message_type":"committed_transcript","text":"Go forward ten meters."}
< {"message_type":"committed_transcript_with_timestamps","text":"Go forward ten meters.","language_code":"en","words":[{"text":"Go","start":0.05,"end":0.2,"type":"word","logprob":-0.1},{"text":" ","start":0.2,"end":0.22,"type":"spacing"},{"text":"forward","start":0.22,"end":0.5,"type":"word"},{"text":" ","start":0.5,"end":0.5,"type":"spacing"},{"text":"ten","start":0.5,"end":0.7,"type":"word"},{"text":" ","start":0.7,"end":0.7,"type":"spacing"},{"text":"meters.","start":0.7,"end":1.1,"type":"word"}]}
> close
